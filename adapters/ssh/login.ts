import type { Buffer } from 'node:buffer';
import type { VerifyCallback } from 'ssh2';
import type { SshFailure } from '../../machines/headset/ports.ts';
import type { SshPortOptions } from './client.ts';
import { environmentFor } from './environment.ts';
import { isTooManyTries, reasonFor } from './failure-reasons.ts';
import { foreign } from './foreign-text.ts';
import { checkHostKey, type HostKeyCheck } from './host-key-check.ts';
import { bindLoginsToHost, type BoundLogins } from './hostbound.ts';
import { keepKexProof } from './kex-proof.ts';
import { offerKeysOneByOne, type KeyOffers, type Report } from './key-offers.ts';
import { hostKeyAlgorithms, hostKeyName, type KnownHost } from './known-hosts.ts';
import { runSession } from './session.ts';
import type { Resolved } from './ssh-config.ts';
import type { ParseKey } from './ssh2-key.ts';
import { insidesOf, type SendPacket, type Ssh2Insides } from './ssh2-insides.ts';
import { openTransport } from './transport.ts';

export type Fail = (reason: SshFailure, detail: string) => void;

/** Of ssh2, which is loaded late. */
export interface Ssh2Parts extends Pick<typeof import('ssh2'), 'Client' | 'BaseAgent'> {
  sendPacket: SendPacket;
  parseKey: ParseKey;
}

export interface LoginOptions extends SshPortOptions {
  ssh2: Ssh2Parts;
  resolved: Resolved;
  known: KnownHost[];
  signal: AbortSignal;
  report: Report;
  fail: Fail;
}

/** One connection under way, from the socket to the end of the session. */
export interface Login {
  hostKey: HostKeyCheck;
  keys: KeyOffers;
  /** Erases what waits for a signature, says goodbye if anyone listens, and closes. */
  hangUp: () => void;
}

/** Connects, checks the host key, logs in with the phone's key and runs the session. */
export function logIn(options: LoginOptions): Login {
  const { ssh2, resolved, known, pinHostKey, signal, report, fail } = options;
  const pins = options.pins(hostKeyName(resolved), resolved.port);
  const transport = openTransport(resolved);
  const client = new ssh2.Client();
  const hostKey = checkHostKey({ resolved, known, pins, pinHostKey, report, fail });
  const refuse = (detail: string): void => fail('internalError', detail);
  let insides: Ssh2Insides | null = null;
  let logins: BoundLogins | null = null;
  const proof = keepKexProof(() => insides);
  const keys = offerKeysOneByOne({
    ...options,
    user: resolved.user,
    Agent: ssh2.BaseAgent,
    parseKey: ssh2.parseKey,
    proofOf(challenge) {
      const bind = logins?.proofOf(challenge) ?? null;
      if (bind === null) refuse('ssh2 asks for a signature over what was not made here');
      return bind;
    },
  });

  let ready = false;
  let lostBecause: string | null = null;

  const lost = (error: Error | null): void => {
    const detail = [transport.complaints(), error?.message].filter(Boolean).join(': ');
    if (ready) {
      lostBecause ??= detail;
    } else if (error !== null && keys.hasOffered() && isTooManyTries(error)) {
      report({ type: 'ssh.permissionDenied', methods: keys.methods() });
    } else {
      const heard = transport.received() > 0;
      const where = { heard, sawHostKey: hostKey.seen(), proxied: resolved.proxy !== null };
      fail(reasonFor(error, where), detail);
    }
  };

  /** The session's end is reported when its output has been delivered, even of a lost connection. */
  const converse = async (): Promise<void> => {
    const env = environmentFor(resolved, options.env);
    const end = await runSession(client, options.openSession(), env);
    if (end.outcome === 'ended') {
      const { status, signal } = end;
      report({ type: 'ssh.closed', status, signal, detail: foreign(lostBecause ?? end.detail) });
    } else if (lostBecause !== null) {
      report({ type: 'ssh.closed', status: null, signal: null, detail: foreign(lostBecause) });
    } else fail('commandRefused', end.detail);
  };

  client
    .on('error', (error) => {
      // "agent": one identity was given up for another.
      if (error.level !== 'agent') lost(error);
    })
    .on('close', () => lost(null))
    .on('banner', (text) => {
      if (!signal.aborted) options.onBanner(text.slice(0, 8192));
    })
    .on('handshake', () => {
      proof.proven();
      try {
        hostKey.proven();
      } catch (error) {
        fail('internalError', `the host key could not be kept: ${String(error)}`);
      }
    })
    .on('ready', () => {
      if (!keys.mayBeLoggedIn()) {
        fail('serverClosed', 'the server claims a login that it was given no signature for');
        return;
      }
      ready = true;
      report({ type: 'ssh.authenticated' });
      if (signal.aborted) return;
      converse().catch((error: unknown) => fail('commandRefused', String(error)));
    });

  client.connect({
    sock: transport.stream,
    username: resolved.user,
    readyTimeout: 0,
    keepaliveInterval: resolved.keepaliveInterval,
    keepaliveCountMax: resolved.keepaliveCountMax,
    algorithms: { serverHostKey: hostKeyAlgorithms(known, pins) },
    authHandler: keys.authHandler,
    hostVerifier(key: Buffer, answer: VerifyCallback): void {
      proof.claimed(key);
      hostKey.verify(key, answer);
    },
  });
  insides = insidesOf(client, ssh2.sendPacket);
  if (insides === null) refuse('this ssh2 is not the one that the program was made for');
  else logins = bindLoginsToHost({ insides, bind: proof.bind, refuse });

  return {
    hostKey,
    keys,
    hangUp() {
      keys.stop();
      transport.close(() => {
        try {
          client.end();
        } catch {
          // An ssh2 that cannot say goodbye must not keep the connection open.
        }
      });
    },
  };
}
