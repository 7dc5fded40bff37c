/** How the inspector's page drives connections; the headset's program stands behind it. */
import type { DriveCommand, Driving } from './protocol.ts';

/** What was asked is not possible now. `message` is a sentence for the person. */
export class Conflict extends Error {
  override readonly name = 'Conflict';
}

export interface DrivingPort {
  state(): Driving;
  /**
   * Resolves when the command has been taken: for `connect`, when the connection is begun.
   *
   * @throws {Conflict}
   */
  drive(command: DriveCommand): Promise<void>;
  /** Calls `listener` after each change of `state()`. Returns what ends it. */
  onChange(listener: () => void): () => void;
}
