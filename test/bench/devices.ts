/** A headset and a phone, paired, each with a state directory and a log on the disk. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { readHostKeyLine } from '../../adapters/keys/host-key-line.ts';
import { generateP256Key, type P256Key } from '../../adapters/keys/p256.ts';
import { publicIdentity, publicKeyLine } from '../../adapters/keys/public-key.ts';
import type { PublicIdentity } from '../../machines/ports.ts';
import { deviceIdentity } from '../../app/device-identity.ts';
import { addPhone, pinHostKey } from '../../app/headset/records.ts';
import { addPin } from '../../app/phone/host-pins.ts';
import { addHeadset, addIdentity } from '../../app/phone/records.ts';
import { begin, type Running } from '../../app/running.ts';
import type { Sshd } from '../support/sshd.ts';

export interface Devices {
  headsetHome: string;
  phoneHome: string;
  phoneId: string;
  /** The phone's one identity. Its private half is in no file. */
  key: P256Key;
  identity: PublicIdentity;
  /** For authorized_keys. */
  keyLine: string;
}

/** Pairs them by what a pairing leaves in the logs. */
export async function makeDevices(directory: string): Promise<Devices> {
  const headsetHome = mkdtempSync(join(directory, 'headset-'));
  const phoneHome = mkdtempSync(join(directory, 'phone-'));
  const key = generateP256Key();
  const identity = publicIdentity(key.publicKey, 'bench');
  const phoneId = randomUUID();

  const ofHeadset = await deviceIdentity(headsetHome);
  const ofPhone = await deviceIdentity(phoneHome);
  within('vmux', headsetHome, ({ log }) =>
    addPhone(log, { id: phoneId, name: 'phone', ...ofPhone }),
  );
  within('signer', phoneHome, ({ log }) => {
    addHeadset(log, { id: randomUUID(), name: 'headset', ...ofHeadset });
    addIdentity(log, identity);
  });
  return { headsetHome, phoneHome, phoneId, key, identity, keyLine: publicKeyLine(identity) };
}

/** As the person would who accepted this server's key once. */
export function knowHostKey(home: string, { address, port, hostKeys }: Sshd): void {
  const [keyType = '', key = ''] = hostKeys.ed25519?.publicKey.split(' ') ?? [];
  within('vmux', home, ({ log }) => pinHostKey(log, { name: address, port, keyType, key }));
}

/** The phone knows this server by its address and this alias: no code has to be typed there. */
export function pinOnPhone(home: string, { address, port, hostKeys }: Sshd, alias: string): void {
  const key = readHostKeyLine(hostKeys.ed25519?.publicKey ?? '');
  if (key === null) throw new Error('the server has no ed25519 host key');
  const { keyType, fingerprint } = key;
  within('signer', home, ({ log }) => {
    for (const name of [address, alias]) {
      addPin(log, { name, port, keyType, fingerprint, isCa: false });
    }
  });
}

/** Does something in a state directory, as a command of that program would. */
export function within(
  program: 'vmux' | 'signer',
  home: string,
  work: (running: Running) => void,
): void {
  const running = begin(program, home);
  work(running);
  running.end();
}
