import type { EventLog } from '../../adapters/event-log/store.ts';
import { KeyFileError, removeKeyFile } from '../../adapters/keys/key-files.ts';
import { changeIdentity } from './records.ts';

/** The record goes first: what is in no record is never used, whatever file is left. */
export async function removeIdentity(
  log: EventLog,
  home: string,
  fingerprint: string,
): Promise<void> {
  changeIdentity(log, fingerprint, 'removed');
  await removeKeyFile(home, fingerprint).catch((error: unknown) => {
    if (!(error instanceof KeyFileError && error.problem === 'missing')) throw error;
  });
}
