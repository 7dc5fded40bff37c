/** What the bytes of a request say, read here and not believed of anybody. */
import type { PageSheet } from '../../../../adapters/phone-page/protocol.ts';
import { readSignDataFields } from '../../../../adapters/wire/sign-data.ts';
import { wireReader } from '../../../../adapters/wire/wire-reader.ts';
import { concatBytes, wireString } from '../../../../adapters/wire/wire-writer.ts';
import type { ReadBytes } from '../port.ts';
import { fingerprintOf } from './bytes.ts';

/** `null`: nothing that this page signs. */
export async function readBytes(bytes: Uint8Array): Promise<ReadBytes | null> {
  const read = readSignDataFields(bytes);
  if (read === null) return null;
  if (read.kind === 'sshsig') return { kind: 'sshsig', namespace: read.namespace };
  const { kind, user, plainKey, hostKey, certificate } = read;
  return {
    kind,
    user,
    fingerprint: await fingerprintOf(plainKey),
    hostKey: hostKey && (await fingerprintOf(plainHostKey(hostKey))),
    certificate: certificate && {
      ca: await fingerprintOf(certificate.caKey),
      principals: certificate.principals,
    },
  };
}

/** Whether the signer's words about a request are other ones than those of its bytes. */
export function isMismatch(
  read: ReadBytes,
  { kind, user, fingerprint, badge, approval }: Omit<PageSheet, 'bytes'>,
  host: string,
): boolean {
  const isOfThisPage =
    !(approval.by === 'passkey' || approval.by === 'sealed') || approval.credential.rpId === host;
  if (!isOfThisPage || read.kind !== kind) return true;
  if (read.kind === 'sshsig') return user !== '' || badge.badge !== 'signature';
  if (read.user !== user || read.fingerprint !== fingerprint) return true;
  return !isHostOf(read.hostKey, badge);
}

/** What a badge calls proven has to be the host key that the bytes name. */
function isHostOf(hostKey: string | null, badge: PageSheet['badge']): boolean {
  switch (badge.badge) {
    case 'known':
    case 'knownAs':
    case 'newHost':
    case 'newKeyType':
      return hostKey === badge.fingerprint;
    case 'signature':
      return false;
    case 'vouched':
    case 'changed':
    case 'notProven':
      return true;
  }
}

const CERTIFICATE = '-cert-v01@openssh.com';

/** How many fields of a certificate's key follow its nonce (OpenSSH PROTOCOL.certkeys). */
const fieldsOf: ReadonlyMap<string, number> = new Map([
  ['ssh-ed25519', 1],
  ['ecdsa-sha2-nistp256', 2],
  ['ecdsa-sha2-nistp384', 2],
  ['ecdsa-sha2-nistp521', 2],
  ['ssh-rsa', 2],
]);

/** The key that a host certificate certifies; any other blob as it is. */
function plainHostKey(blob: Uint8Array): Uint8Array {
  const reader = wireReader(blob);
  const type = reader.text() ?? '';
  const plain = type.slice(0, -CERTIFICATE.length);
  const count = type.endsWith(CERTIFICATE) ? fieldsOf.get(plain) : undefined;
  if (count === undefined || reader.string() === null) return blob;
  const fields = Array.from({ length: count }, () => reader.string());
  if (fields.includes(null)) return blob;
  return concatBytes(wireString(plain), ...fields.map((field) => wireString(field!)));
}
