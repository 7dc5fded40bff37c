/** Logins inside this process: ssh2 alone, and the headset's own parts with a linked phone. */
import { PassThrough } from 'node:stream';
import ssh2 from 'ssh2';
import { createRequestVault } from '../../adapters/ssh/request-vault.ts';
import { deviceIdentity } from '../../app/device-identity.ts';
import { startConnection, type Connection } from '../../app/headset/connection.ts';
import { startPhoneLink, type PhoneLink } from '../../app/headset/phone-link.ts';
import { begin } from '../../app/running.ts';
import type { Sshd } from '../support/sshd.ts';

/** From the dial until the server has let us in. Milliseconds. */
export function logInWithSsh2(sshd: Sshd, username: string, privateKey: string): Promise<number> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    client
      .on('ready', () => {
        const took = performance.now() - startedAt;
        client.end();
        client.once('close', () => resolve(took));
      })
      .on('error', reject)
      .connect({
        host: sshd.address,
        port: sshd.port,
        username,
        privateKey,
        readyTimeout: 0,
        hostVerifier: (key: Buffer) =>
          sshd.hostKeys.ed25519?.publicKey.includes(key.toString('base64')) ?? false,
      });
    client.setNoDelay(true);
  });
}

export interface LoginTimes {
  /** From Connect to the dial: `ssh -G` and `ssh-keygen -F`. */
  asking: number;
  /** From the dial until the server has let us in. */
  login: number;
  /** Of the login: from the server's challenge to its signature. */
  signing: number;
}

export interface HeadsetProcess {
  /** One connection, from Connect to the shell and out again. */
  logIn: () => Promise<LoginTimes>;
  close: () => Promise<void>;
}

/** The headset's parts with their log, and a link to the phone that stays up. */
export async function startHeadset(
  home: string,
  sshd: Sshd,
  user: string,
  configFile: string,
): Promise<HeadsetProcess> {
  const begun = begin('vmux', home);
  let dialledAt = 0;
  // What is known of the host key is looked up last before the dial.
  const running = {
    ...begun,
    log: {
      ...begun.log,
      streams(prefix?: string) {
        if (prefix?.startsWith('host-key/')) dialledAt = performance.now();
        return begun.log.streams(prefix);
      },
    },
  };
  const vault = createRequestVault();
  const identity = await deviceIdentity(home);
  const phoneLink = startPhoneLink({ running, identity, vault, given: null });
  await linkUp(phoneLink);

  return {
    async logIn() {
      const stdin = new PassThrough();
      const stdout = new PassThrough().resume();
      const stderr = new PassThrough().resume();
      const connection = startConnection({
        running,
        phoneLink,
        vault,
        target: { host: sshd.address, port: sshd.port, user },
        signerTimeout: null,
        openSession: () => ({ command: 'true', terminal: null, stdin, stdout, stderr }),
        onBanner: () => {},
        configFile,
      });
      const times = await watchLogin(connection, () => dialledAt);
      connection.stop();
      return times;
    },
    async close() {
      await phoneLink.close();
      running.end();
    },
  };
}

function watchLogin({ actor, deliver }: Connection, dialledAt: () => number): Promise<LoginTimes> {
  const startedAt = performance.now();
  let challengedAt = 0;
  let signedAt = 0;
  let loggedInAt = 0;
  return new Promise((resolve, reject) => {
    actor.subscribe((snapshot) => {
      const now = performance.now();
      const { value, context } = snapshot;
      if (snapshot.matches({ session: { awaitingSigner: 'challengeSent' } })) challengedAt ||= now;
      if (snapshot.matches({ session: 'signed' })) signedAt ||= now;
      if (snapshot.matches({ session: 'connected' })) loggedInAt ||= now;
      if (value === 'disconnected' && context.reason === null) {
        resolve({
          asking: dialledAt() - startedAt,
          login: loggedInAt - dialledAt(),
          signing: signedAt - challengedAt,
        });
      } else if (typeof value === 'string' && value !== 'idle') {
        reject(new Error(`the login ended ${value}: ${context.reason}`));
      }
    });
    deliver({ type: 'user.connect' });
  });
}

/** Resolves when a phone is linked. */
export function linkUp({ link }: PhoneLink): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      const { value } = link.actor.getSnapshot();
      if (typeof value !== 'object' || value.active !== 'up') return;
      watching.unsubscribe();
      resolve();
    };
    const watching = link.actor.subscribe(look);
    look();
  });
}
