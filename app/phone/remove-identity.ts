import type { EventLog } from '../../adapters/event-log/store.ts';
import { KeyFileError, removeKeyFile } from '../../adapters/keys/key-files.ts';
import { WrongUsage } from '../trouble.ts';
import { changeIdentity } from './records.ts';

/**
 * The record goes first: what is in no record is never used, whatever file is left.
 * @throws {WrongUsage} when a file is left
 */
export async function removeIdentity(
  log: EventLog,
  home: string,
  fingerprint: string,
): Promise<void> {
  changeIdentity(log, fingerprint, 'removed');
  await removeKeyFile(home, fingerprint).catch((error: unknown) => {
    if (error instanceof KeyFileError && error.problem === 'missing') return;
    const { message } = error as Error;
    throw new WrongUsage(`it is removed, but its sealed file could not be deleted: ${message}`);
  });
}
