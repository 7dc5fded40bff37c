import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type {
  AuthHandlerMiddleware,
  BaseAgent,
  NextAuthHandler,
  ParsedKey,
  SignCallback,
} from 'ssh2';
import type { SshFact } from '../../machines/headset/ports.ts';
import type { PublicIdentity } from '../../machines/ports.ts';
import { readIdentityKey } from '../wire/identity-key.ts';
import type { SessionBind } from '../wire/session-bind.ts';
import { fingerprintOf, isSignatureOf } from './blobs.ts';
import type { RequestVault } from './request-vault.ts';
import { keyForSsh2, type ParseKey } from './ssh2-key.ts';

/** A server's MaxAuthTries is 6 by default, and the signature itself is one of them. */
export const maxOffers = 5;

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** A fact before it is given its time. */
export type Report = (fact: DistributiveOmit<SshFact, 'at'>) => void;

export interface KeyOffersOptions {
  user: string;
  /** ssh2's class, which is loaded late. */
  Agent: typeof BaseAgent;
  parseKey: ParseKey;
  vault: RequestVault;
  newRequestId: () => string;
  newCode: () => string;
  /** What proves where a challenge's signature goes; `null`: it is not to be signed. */
  proofOf: (challenge: Buffer) => SessionBind | null;
  report: Report;
}

export interface KeyOffers {
  /** For ssh2's `authHandler`. Called once for each method that was refused. */
  authHandler: AuthHandlerMiddleware;
  /**
   * The identities to ask the server about from now on; no identities, no change. Replaces an
   * earlier list: what was refused is skipped, and a request that waits for its signature is
   * erased and its identity asked about again if it is in the new list.
   */
  offer: (identities: PublicIdentity[]) => void;
  /**
   * Gives the server the signature in the vault. False when there is none or it is malformed:
   * nothing was sent. A request that is not the one in question is ignored.
   */
  handOver: (requestId: string) => boolean;
  /**
   * A success from the server is due: it was asked for `none`, or given a signature. At any other
   * time it would be a login that nobody approved.
   */
  mayBeLoggedIn: () => boolean;
  methods: () => string[];
  /** Something was offered: from now on a server that hangs up may mean "denied". */
  hasOffered: () => boolean;
  stop: () => void;
}

interface Candidate {
  identity: PublicIdentity;
  state: 'offered' | 'accepted' | 'signed' | 'abandoned';
  requestId: string;
  complete: SignCallback;
}

/**
 * Public-key authentication (RFC 4252 §7) with identities that come late and sign slowly: asks
 * `none` first to learn the methods, then offers one identity at a time without a signature, and
 * stops at the first that the server accepts. Only `handOver` lets it go on: there is no path from
 * a request that was denied to another one. A signature that the server refuses ends the login,
 * and so does a server that refuses what it had accepted.
 */
export function offerKeysOneByOne(options: KeyOffersOptions): KeyOffers {
  const { user, Agent, parseKey, vault, newRequestId, newCode, proofOf, report } = options;
  const offered = new Set<string>();
  const refused = new Set<string>();
  let methods: string[] | null = null;
  let wanted: PublicIdentity[] = [];
  let next: NextAuthHandler | null = null;
  let current: Candidate | null = null;
  let stopped = false;

  const finish = (): void => {
    stopped = true;
    report({ type: 'ssh.permissionDenied', methods: methods ?? [] });
  };

  const advance = (): void => {
    if (stopped || next === null || wanted.length === 0) return;
    const identity = wanted.find(mayOffer);
    if (identity === undefined) {
      finish();
      return;
    }
    offered.add(identity.fingerprint);
    const candidate: Candidate = { identity, state: 'offered', requestId: '', complete: () => {} };
    current = candidate;
    const proceed = next;
    next = null;
    proceed({ type: 'agent', username: user, agent: agentFor(candidate) });
  };

  const mayOffer = (identity: PublicIdentity): boolean =>
    isUsable(identity) &&
    !refused.has(identity.fingerprint) &&
    (offered.has(identity.fingerprint) || offered.size < maxOffers);

  const agentFor = (candidate: Candidate): BaseAgent => {
    const key = keyForSsh2(parseKey, Buffer.from(candidate.identity.publicKey, 'base64'));
    class OneKeyAgent extends Agent<ParsedKey> {
      getIdentities(done: (error: null, keys: ParsedKey[]) => void): void {
        done(null, key === null ? [] : [key]);
      }
      override sign(_key: ParsedKey, challenge: Buffer, ...rest: unknown[]): void {
        accepted(candidate, challenge, rest.at(-1) as SignCallback);
      }
    }
    return new OneKeyAgent();
  };

  const accepted = (candidate: Candidate, challenge: Buffer, complete: SignCallback): void => {
    // A server may send SSH_MSG_USERAUTH_PK_OK more than once; it gets one request.
    if (stopped || candidate !== current || candidate.state !== 'offered') return;
    const proof = proofOf(challenge);
    if (proof === null) return;
    candidate.state = 'accepted';
    candidate.requestId = newRequestId();
    candidate.complete = complete;
    const challengeHash = createHash('sha256').update(challenge).digest('hex');
    vault.putChallenge(candidate.requestId, challenge, [proof]);
    const { fingerprint } = candidate.identity;
    const { requestId } = candidate;
    const code = newCode();
    report({ type: 'ssh.identityAccepted', fingerprint, requestId, challengeHash, code });
  };

  const abandon = (candidate: Candidate): void => {
    candidate.state = 'abandoned';
    vault.erase(candidate.requestId);
    candidate.complete(new Error('another identity is offered'));
  };

  return {
    authHandler(methodsLeft: string[] | null, _partial, proceed) {
      if (stopped) return;
      if (methodsLeft === null) {
        proceed({ type: 'none', username: user });
        return;
      }
      next = proceed;
      if (methods === null) {
        methods = [...methodsLeft];
        if (!methods.includes('publickey')) {
          stopped = true;
          report({ type: 'ssh.publickeyNotOffered', methods });
          return;
        }
        report({ type: 'ssh.publickeyWanted', methods });
      } else if (current?.state === 'signed' || current?.state === 'accepted') {
        // A server that takes its acceptance back could have a request made again and again.
        vault.erase(current.requestId);
        finish();
        return;
      } else if (current?.state === 'offered') {
        const { fingerprint } = current.identity;
        refused.add(fingerprint);
        current = null;
        report({ type: 'ssh.identityRefused', fingerprint });
      }
      advance();
    },

    offer(identities) {
      if (stopped || current?.state === 'signed' || identities.length === 0) return;
      wanted = identities;
      if (current?.state === 'accepted') abandon(current);
      else advance();
    },

    handOver(requestId) {
      if (stopped || current?.state !== 'accepted' || current.requestId !== requestId) return true;
      const blob = vault.takeSignature(requestId);
      vault.erase(requestId);
      if (blob === null || !isSignatureOf(current.identity.algorithm, blob)) return false;
      current.state = 'signed';
      current.complete(null, blob);
      blob.fill(0);
      return true;
    },

    mayBeLoggedIn: () => methods === null || current?.state === 'signed',
    methods: () => methods ?? [],
    hasOffered: () => offered.size > 0,
    stop() {
      stopped = true;
      if (current !== null && current.requestId !== '') vault.erase(current.requestId);
    },
  };
}

/** The key blob is what it is said to be, of a type that a phone can hold. */
function isUsable({ algorithm, publicKey, fingerprint }: PublicIdentity): boolean {
  const blob = Buffer.from(publicKey, 'base64');
  return readIdentityKey(blob)?.algorithm === algorithm && fingerprintOf(blob) === fingerprint;
}
