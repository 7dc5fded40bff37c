/** A sign request compared with what the headset claims of it. */
import { Buffer } from 'node:buffer';
import type { Proof, RequestKind } from '../../machines/phone/ports.ts';
import { readIdentityKey } from '../wire/identity-key.ts';
import type { SessionBind } from '../wire/session-bind.ts';
import type { UserCertificate } from './certificate.ts';
import { readDestinationProof, type DestinationProof } from './destination-proof.ts';
import { certificateProblem } from './host-certificate.ts';
import { fingerprint } from './public-key.ts';
import { readSignData } from './sign-data.ts';

/** The headset's words about a challenge. */
export interface SignClaim {
  fingerprint: string;
  /** Empty for SSHSIG, which has no user. */
  user: string;
  /** In no challenge: what it is compared with are the names in a host's certificate. */
  host: string;
  binds: readonly SessionBind[];
}

export type ReadRequest =
  | {
      ok: true;
      kind: RequestKind;
      /** From the bytes; empty for SSHSIG. */
      user: string;
      /** Foreign text, not escaped, cut to 200 UTF-16 units. At most 8 principals are spelled out. */
      detail: string | null;
      proof: Proof;
    }
  | { ok: false; reason: 'requestUnreadable' | 'requestMismatch' | 'proofInvalid' };

const principalsShown = 8;

/** More than a sheet shows, and little enough for the event that carries it. */
const longestDetail = 200;

/**
 * Reads `data` and holds it against `claim`. `identityBlob` gives the plain key blob that this
 * phone holds under a fingerprint, `null` when it holds none: such a request can be readable and
 * consistent, and is still to be refused as unknown by whoever decides. `now`: milliseconds since
 * 1970, for certificates.
 */
export function readRequest(
  data: Uint8Array,
  claim: SignClaim,
  identityBlob: (fingerprint: string) => Uint8Array | null,
  now: number,
): ReadRequest {
  const read = readSignData(data);
  if (read === null) return { ok: false, reason: 'requestUnreadable' };
  const proven = readDestinationProof(read, claim.binds);
  if (!proven.ok) return { ok: false, reason: 'proofInvalid' };
  const proof = proofOf(proven, claim.host, now);
  const mismatch: ReadRequest = { ok: false, reason: 'requestMismatch' };

  const held = identityBlob(claim.fingerprint);
  if (
    held !== null &&
    (readIdentityKey(held) === null || fingerprint(held) !== claim.fingerprint)
  ) {
    return mismatch;
  }
  if (read.kind === 'sshsig') {
    if (claim.user !== '') return mismatch;
    const detail = cut(`namespace ${read.namespace}`);
    return { ok: true, kind: 'sshsig', user: '', detail, proof };
  }
  if (read.fingerprint !== claim.fingerprint || read.user !== claim.user) return mismatch;
  const plainBlob = read.certificate?.keyBlob ?? read.keyBlob;
  if (held !== null && !Buffer.from(held).equals(plainBlob)) return mismatch;
  return {
    ok: true,
    kind: read.kind,
    user: read.user,
    detail: read.certificate && certificateDetail(read.certificate),
    proof,
  };
}

/** As the charts have it. */
function proofOf(
  { strength, host, hops, why }: Extract<DestinationProof, { ok: true }>,
  name: string,
  now: number,
): Proof {
  if (host === null) return { strength, host, hops, why };
  const { fingerprint, keyType, certificate } = host;
  const certified = certificate && {
    ca: certificate.caFingerprint,
    problem: certificateProblem(certificate, name, now),
  };
  return { strength, host: { fingerprint, keyType, certificate: certified }, hops, why };
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
