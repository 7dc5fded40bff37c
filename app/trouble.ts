import type { FailureReason } from '../machines/failures.ts';

/** A failure that a person meets: ends the command with the reason's words and exit status 1. */
export class Trouble extends Error {
  readonly reason: FailureReason;
  /** The world's own words, if they add something; foreign text. */
  readonly detail: string | null;

  constructor(reason: FailureReason, detail: string | null = null) {
    super(reason);
    this.name = 'Trouble';
    this.reason = reason;
    this.detail = detail;
  }
}

/** A wrong command line: ends the command with exit status 2. */
export class WrongUsage extends Error {
  override readonly name = 'WrongUsage';
}
