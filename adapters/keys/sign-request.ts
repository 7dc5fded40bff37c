/** A sign request compared with what the headset claims of it. */
import { Buffer } from 'node:buffer';
import type { RequestKind } from '../../machines/phone/ports.ts';
import type { UserCertificate } from './certificate.ts';
import { fingerprint, pointOf } from './public-key.ts';
import { readSignData } from './sign-data.ts';

/** The headset's words about a challenge. `host` is in no challenge and is not judged here. */
export interface SignClaim {
  fingerprint: string;
  /** Empty for SSHSIG, which has no user. */
  user: string;
  host: string;
}

export type ReadRequest =
  | {
      ok: true;
      kind: RequestKind;
      /** From the bytes; empty for SSHSIG. */
      user: string;
      /** Foreign text, not escaped, cut to 200 UTF-16 units. At most 8 principals are spelled out. */
      detail: string | null;
    }
  | { ok: false; reason: 'requestUnreadable' | 'requestMismatch' };

const principalsShown = 8;

/** More than a sheet shows, and little enough for the event that carries it. */
const longestDetail = 200;

/**
 * Reads `data` and holds it against `claim`. `identityBlob` gives the plain key blob that this
 * phone holds under a fingerprint, `null` when it holds none: such a request can be readable and
 * consistent, and is still to be refused as unknown by whoever decides.
 */
export function readRequest(
  data: Uint8Array,
  claim: SignClaim,
  identityBlob: (fingerprint: string) => Uint8Array | null,
): ReadRequest {
  const read = readSignData(data);
  if (read === null) return { ok: false, reason: 'requestUnreadable' };
  const mismatch: ReadRequest = { ok: false, reason: 'requestMismatch' };

  const held = identityBlob(claim.fingerprint);
  if (held !== null && (pointOf(held) === null || fingerprint(held) !== claim.fingerprint)) {
    return mismatch;
  }
  if (read.kind === 'sshsig') {
    if (claim.user !== '') return mismatch;
    return { ok: true, kind: 'sshsig', user: '', detail: cut(`namespace ${read.namespace}`) };
  }
  if (read.fingerprint !== claim.fingerprint || read.user !== claim.user) return mismatch;
  const plainBlob = read.certificate?.keyBlob ?? read.keyBlob;
  if (held !== null && !Buffer.from(held).equals(plainBlob)) return mismatch;
  return {
    ok: true,
    kind: read.kind,
    user: read.user,
    detail: read.certificate && certificateDetail(read.certificate),
  };
}

function certificateDetail({ caFingerprint, principals }: UserCertificate): string {
  const shown = principals.slice(0, principalsShown).join(', ');
  const more = principals.length - principalsShown;
  const names =
    principals.length === 0
      ? 'no principals'
      : `principals ${shown}${more > 0 ? ` and ${more} more` : ''}`;
  return cut(`certificate by CA ${caFingerprint}, ${names}`);
}

const cut = (text: string) => text.slice(0, longestDetail).toWellFormed();
