/** `signer identity create`: a new key, sealed under a passphrase that is asked for here. */
import { writeKeyFile } from '../../adapters/keys/key-files.ts';
import { publicIdentity, publicKeyLine } from '../../adapters/keys/public-key.ts';
import { createSealedKey } from '../../adapters/keys/sealed-key.ts';
import type { EventLog } from '../../adapters/event-log/store.ts';
import { homeOf } from '../home.ts';
import { openLog } from '../running.ts';
import { readPassphrase } from '../terminal/read-passphrase.ts';
import { Trouble, WrongUsage } from '../trouble.ts';
import { addIdentity, identities } from './records.ts';

/** As `ssh-keygen` asks. Bytes. */
const SHORTEST = 5;

/** Resolves with the exit status. */
export async function createIdentity(label: string): Promise<number> {
  const log = openLog('signer');
  try {
    checkNewLabel(log, label);
    return await create(log, label);
  } finally {
    log.close();
  }
}

async function create(log: EventLog, label: string): Promise<number> {
  const passphrase = await newPassphrase();
  try {
    const sealed = await createSealedKey(passphrase);
    const identity = publicIdentity(Buffer.from(sealed.publicKey, 'base64'), label);
    await writeKeyFile(homeOf('signer'), sealed);
    addIdentity(log, identity);
    process.stderr.write(
      `created ${identity.fingerprint}\nthe line for authorized_keys on your servers:\n`,
    );
    process.stdout.write(`${publicKeyLine(identity)}\n`);
    process.stderr.write(`hint: signer identity install ${label} user@host appends it for you\n`);
    return 0;
  } catch (error) {
    if (error instanceof Error && error.name === 'KeyFileError') {
      throw new Trouble('stateUnusable', error.message);
    }
    throw error;
  } finally {
    passphrase.fill(0);
  }
}

/** @throws {WrongUsage} when it is no label, or another identity has it */
export function checkNewLabel(log: EventLog, label: string): void {
  checkLabel(label);
  if (identities(log).some((identity) => identity.label === label)) {
    throw new WrongUsage('an identity of that label exists; choose another or remove it');
  }
}

/** A label goes into one line of authorized_keys and on every sheet. */
function checkLabel(label: string): void {
  if (label.startsWith('SHA256:')) throw new WrongUsage('a label is no fingerprint');
  if (
    label.trim() !== label ||
    label === '' ||
    [...label].length > 64 ||
    /[\p{C}\p{Zl}\p{Zp}]/u.test(label)
  ) {
    throw new WrongUsage('a label is 1 to 64 printable characters');
  }
}

/**
 * Asks for it, twice on a terminal. The caller zeroes it.
 *
 * @throws {WrongUsage} when it is short or the two differ
 * @throws {Trouble} `cancelled`
 */
export async function newPassphrase(): Promise<Buffer> {
  const first = await readPassphrase('passphrase for the new key: ');
  if (first === null) throw new Trouble('cancelled');
  if (first.length < SHORTEST) {
    first.fill(0);
    throw new WrongUsage(`a passphrase has at least ${SHORTEST} characters; use several words`);
  }
  if (!process.stdin.isTTY) return first;
  const second = await readPassphrase('the same again: ');
  const same = second?.equals(first) ?? false;
  second?.fill(0);
  if (same) return first;
  first.fill(0);
  if (second === null) throw new Trouble('cancelled');
  throw new WrongUsage('the two passphrases differ');
}
