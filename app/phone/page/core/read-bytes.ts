/** What the bytes to be signed say, and whether the signer's words for them are true. */
import { readIdentityKey } from '../../../../adapters/wire/identity-key.ts';
import { plainHostKey } from '../../../../adapters/wire/plain-host-key.ts';
import { readSignDataFields } from '../../../../adapters/wire/sign-data.ts';
import type { PageSheet } from '../../../../adapters/phone-page/protocol.ts';
import type { PageIdentity } from '../../../../adapters/phone-page/state.ts';
import type { Badge } from '../../../../machines/phone/destination.ts';
import type { ReadBytes } from '../port.ts';
import { fingerprint, fromBase64url } from './bytes.ts';

export interface BytesFacts {
  read: ReadBytes;
  /** Of a login with a passkey, from its public key. */
  rpId: string | null;
}

/** `null`: they are nothing that a phone signs. */
export async function readBytes(bytes: Uint8Array): Promise<BytesFacts | null> {
  const fields = readSignDataFields(bytes);
  if (fields === null) return null;
  if (fields.kind === 'sshsig') {
    return { read: { kind: 'sshsig', namespace: fields.namespace }, rpId: null };
  }
  const { kind, user, plainKey, hostKey, certificate } = fields;
  const key = readIdentityKey(plainKey);
  return {
    read: {
      kind,
      user,
      fingerprint: await fingerprint(plainKey),
      hostKey: hostKey && (await fingerprint(plainHostKey(hostKey))),
      certificate: certificate && {
        ca: await fingerprint(certificate.caKey),
        principals: certificate.principals,
      },
    },
    rpId: key !== null && 'rpId' in key ? key.rpId : null,
  };
}

/**
 * Whether the signer says something else than the bytes, or would have it approved with something
 * else than the key that they name. `pageHost`: where the page is; `identities`: as the signer lists
 * them.
 */
export async function isOtherwise(
  { read, rpId }: BytesFacts,
  sheet: PageSheet,
  pageHost: string,
  identities: readonly PageIdentity[],
): Promise<boolean> {
  if (read.kind !== sheet.kind) return true;
  if (read.kind === 'sshsig') {
    if (sheet.badge.badge !== 'signature') return true;
  } else {
    if (read.user !== sheet.user || read.fingerprint !== sheet.fingerprint) return true;
    if (!isBadgeOf(read.hostKey, sheet.badge)) return true;
  }
  return !(await isApprovedWith(rpId, read.kind, sheet, pageHost, identities));
}

/** What the badge says of a host key is what the bytes say of it. */
function isBadgeOf(hostKey: string | null, badge: Badge): boolean {
  switch (badge.badge) {
    case 'known':
    case 'knownAs':
    case 'newHost':
    case 'newKeyType':
      return badge.fingerprint === hostKey;
    case 'vouched':
      return hostKey === null;
    case 'changed':
      return hostKey === null || badge.fingerprint === hostKey;
    case 'notProven':
      return true;
    case 'signature':
      return false;
  }
}

/** The passkey is of this page, and belongs to the identity of the sheet. */
async function isApprovedWith(
  rpId: string | null,
  kind: ReadBytes['kind'],
  { approval, fingerprint: ofSheet }: PageSheet,
  pageHost: string,
  identities: readonly PageIdentity[],
): Promise<boolean> {
  if (approval.by === 'terminal') return rpId === null;
  if (approval.by === 'otherPage') return rpId === null || rpId === approval.rpId;
  const { credential } = approval;
  if (credential.rpId !== pageHost) return false;
  const listed = identities.find((one) => one.fingerprint === ofSheet);
  if (listed === undefined || listed.credential?.id !== credential.id) return false;
  if (approval.by === 'passkey') return kind === 'sshsig' ? true : rpId === pageHost;
  if (rpId !== null) return false;
  if (approval.sealed === null) return true;
  const blob = fromBase64url(approval.sealed.publicKey);
  return blob !== null && (await fingerprint(blob)) === ofSheet;
}
