import type { SshFailure } from '../../machines/headset/ports.ts';
import type { SshPortOptions } from './client.ts';
import { environmentFor } from './environment.ts';
import { isTooManyTries, reasonFor } from './failure-reasons.ts';
import { foreign } from './foreign-text.ts';
import { checkHostKey, type HostKeyCheck } from './host-key-check.ts';
import { offerKeysOneByOne, type KeyOffers, type Report } from './key-offers.ts';
import { hostKeyAlgorithms, hostKeyName, type KnownHost } from './known-hosts.ts';
import { runSession } from './session.ts';
import type { Resolved } from './ssh-config.ts';
import { openTransport } from './transport.ts';

export type Fail = (reason: SshFailure, detail: string) => void;

/** Of ssh2, which is loaded late. */
export type Ssh2Parts = Pick<typeof import('ssh2'), 'Client' | 'BaseAgent'>;

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
  const { ssh2, resolved, known, vault, newRequestId, pinHostKey, signal, report, fail } = options;
  const pins = options.pins(hostKeyName(resolved), resolved.port);
  const transport = openTransport(resolved);
  const client = new ssh2.Client();
  const hostKey = checkHostKey({ resolved, known, pins, pinHostKey, report, fail });
  const Agent = ssh2.BaseAgent;
  const keys = offerKeysOneByOne({ user: resolved.user, Agent, vault, newRequestId, report });

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
      try {
        hostKey.proven();
      } catch (error) {
        fail('serverClosed', `the host key could not be kept: ${String(error)}`);
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
    hostVerifier: hostKey.verify,
  });

  return {
    hostKey,
    keys,
    hangUp() {
      keys.stop();
      transport.close(() => client.end());
    },
  };
}
