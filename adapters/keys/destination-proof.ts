/** What the session binds of a request prove of where its login goes. */
import { Buffer } from 'node:buffer';
import type { HostCertificate } from './host-certificate.ts';
import {
  readHostKey,
  unsupportedHostKeyType,
  verifyHostSignature,
  type HostKey,
} from './host-key.ts';
import { fingerprint } from './public-key.ts';
import type { LoginSignData, SignData } from './sign-data.ts';
import {
  AGENT_MAX_SESSION_IDS,
  SESSION_ID_LENGTHS,
  type SessionBind,
} from '../wire/session-bind.ts';

export interface ProvenHost {
  keyType: string;
  /** Of the plain key, also with a certificate. */
  fingerprint: string;
  /** Not yet held against a name and a clock: see `certificateProblem`. */
  certificate: HostCertificate | null;
}

export interface ForwardingHop {
  keyType: string;
  /** Of the plain key; of the blob as it came when `proven` is false. */
  fingerprint: string;
  /** `false`: a key type that cannot be checked here. */
  proven: boolean;
}

export type DestinationProof =
  | {
      ok: true;
      /**
       * `bound`: the signed bytes name the bound host key. `vouched`: a valid bind, but plain
       * bytes: that host has signed the session id, which may be another server's that it relays.
       * `none`: nothing proves where this goes.
       */
      strength: 'bound' | 'vouched' | 'none';
      /** `null` exactly when the strength is `none`. */
      host: ProvenHost | null;
      /**
       * Hosts through which the agent was forwarded, first hop first. A hop says itself what it
       * forwards: hosts behind the first one may have been left out or invented by it.
       */
      hops: ForwardingHop[];
      /** Why the strength is `none`; `signature`: an SSHSIG, which is no login. */
      why: 'noBind' | 'unsupportedHostKey' | 'signature' | null;
    }
  | {
      ok: false;
      problem:
        'badSignature' | 'wrongSession' | 'wrongHostKey' | 'badOrder' | 'tooMany' | 'malformed';
    };

type Problem = Extract<DestinationProof, { ok: false }>['problem'];

interface ReadBind {
  bind: SessionBind;
  keyType: string;
  fingerprint: string;
  /** `null`: of a type that cannot be checked here. */
  hostKey: HostKey | null;
}

/**
 * Judges `binds`, in the order in which they came, against the bytes to be signed. What contradicts
 * itself is never a weaker proof, but none at all: `ok` is false, and nothing may be signed. Never
 * throws.
 *
 * A proof is of a host *key*. Whose key that is, only pins or a certificate's CA can tell, and that
 * the program which asks is the one that was bound, nothing can.
 */
export function readDestinationProof(
  read: SignData,
  binds: readonly SessionBind[],
): DestinationProof {
  if (binds.length > AGENT_MAX_SESSION_IDS) return { ok: false, problem: 'tooMany' };
  if (!isInOrder(binds)) return { ok: false, problem: 'badOrder' };
  const readBinds: ReadBind[] = [];
  for (const bind of binds) {
    const one = readBind(bind);
    if (typeof one === 'string') return { ok: false, problem: one };
    readBinds.push(one);
  }
  const hops = readBinds.filter(({ bind }) => bind.isForwarding).map(hopOf);
  if (read.kind === 'sshsig') return none('signature', hops);
  const last = readBinds.at(-1);
  if (last !== undefined && !last.bind.isForwarding) return loginProof(read, last, hops);
  // Only a bind for authentication stands for a login.
  const isOfHop = binds.some(({ sessionId }) => read.sessionId.equals(sessionId));
  return isOfHop ? { ok: false, problem: 'wrongSession' } : none('noBind', hops);
}

/** Each session once, and nothing after the one that logs in itself. */
function isInOrder(binds: readonly SessionBind[]): boolean {
  const sessions = new Set(binds.map(({ sessionId }) => Buffer.from(sessionId).toString('hex')));
  return (
    sessions.size === binds.length && binds.slice(0, -1).every(({ isForwarding }) => isForwarding)
  );
}

function readBind(bind: SessionBind): ReadBind | Problem {
  if (!SESSION_ID_LENGTHS.has(bind.sessionId.length)) return 'malformed';
  const hostKey = readHostKey(bind.hostKey);
  if (hostKey === null) {
    const keyType = unsupportedHostKeyType(bind.hostKey);
    if (keyType === null) return 'malformed';
    return { bind, keyType, fingerprint: fingerprint(bind.hostKey), hostKey };
  }
  if (!verifyHostSignature(hostKey, bind.sessionId, bind.signature)) return 'badSignature';
  return { bind, keyType: hostKey.keyType, fingerprint: hostKey.fingerprint, hostKey };
}

function loginProof(read: LoginSignData, last: ReadBind, hops: ForwardingHop[]): DestinationProof {
  const { bind, hostKey } = last;
  if (!read.sessionId.equals(bind.sessionId)) return { ok: false, problem: 'wrongSession' };
  if (read.hostKey !== null && !isBoundTo(read.hostKey, last)) {
    return { ok: false, problem: 'wrongHostKey' };
  }
  if (hostKey === null) return none('unsupportedHostKey', hops);
  const { keyType, certificate } = hostKey;
  return {
    ok: true,
    strength: read.hostKey === null ? 'vouched' : 'bound',
    host: { keyType, fingerprint: hostKey.fingerprint, certificate },
    hops,
    why: null,
  };
}

/** The host key in hostbound bytes is the bound one, or the plain key in the bound certificate. */
function isBoundTo(named: Buffer, { bind, hostKey, keyType }: ReadBind): boolean {
  if (named.equals(bind.hostKey)) return true;
  // The key inside a certificate of an unknown type cannot be compared; nothing is proven by it.
  if (hostKey === null) return keyType.includes('-cert-v');
  return hostKey.certificate !== null && named.equals(hostKey.keyBlob);
}

function hopOf({ keyType, fingerprint, hostKey }: ReadBind): ForwardingHop {
  return { keyType, fingerprint, proven: hostKey !== null };
}

function none(
  why: 'noBind' | 'unsupportedHostKey' | 'signature',
  hops: ForwardingHop[],
): DestinationProof {
  return { ok: true, strength: 'none', host: null, hops, why };
}
