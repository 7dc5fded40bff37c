/** A headset and a phone on two hosts, paired or about to be, and a server beside the phone. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { failures, type FailureReason } from '../../machines/failures.ts';
import { hasTcpdump, occurrences, startCapture } from './namespace-capture.ts';
import { makeHosts, names, type Hosts } from './namespace-hosts.ts';
import { namespacesMissing } from './namespaces.ts';
import type { Device, Ended, RunningProgram } from './program-driver.ts';
import { eventsOf } from './program-logs.ts';
import { createIdentity, knowHost, PROMPT } from './program-story.ts';
import { hasSshd, startSshd } from './sshd.ts';

export const PASSPHRASE = 'vermilion passphrase';
const PORT = 47_900;

/** What two hosts with a server need and this machine lacks, or `null`. */
export const networkMissing = namespacesMissing ?? (hasSshd ? null : 'an OpenSSH server');

export interface Network {
  hosts: Hosts;
  headset: Device;
  phone: Device;
  /** The person types the digits and confirms. `address`: with `PORT` for the port. */
  pair(headset: Device, address?: string): Promise<{ headset: Ended; phone: Ended }>;
  /** `signer start`, listening. */
  wake(port?: number): Promise<RunningProgram>;
  /** Ends what `wake` started, stopped or not. */
  endSigner(): Promise<void>;
  /** `vmux connect` by the server's name, for `id -un`. */
  connect(...options: string[]): RunningProgram;
  /** How often the phone's log says that something was signed. */
  signatures(): number;
  /** Ends the capture and looks into it. */
  expectNobodyNamed(): Promise<void>;
  dispose(): Promise<void>;
}

export async function joinByNetwork(): Promise<Network> {
  const hosts = makeHosts();
  const file = join(hosts.directory, 'wire');
  const capture = hasTcpdump ? await startCapture(hosts.left, file) : null;
  const { prefix, address: serverAddress } = hosts.right;
  const sshd = await startSshd({ prefix, address: serverAddress });
  const headset = hosts.device('vmux', hosts.left);
  const phone = hosts.device('signer', hosts.right);
  const authorized = await createIdentity(phone, names.label, PASSPHRASE);
  await sshd.setAuthorizedKeys([authorized]);
  await knowHost(phone, sshd, names.host);
  let signer: RunningProgram | null = null;

  return {
    hosts,
    headset,
    phone,
    async pair(own, address) {
      const waiting = phone.start(['pair', '--name', names.phone]);
      const [, port = ''] = await waiting.expect(/on port (\d+)/);
      const where = address === undefined ? [] : ['--address', address.replace('PORT', port)];
      const asking = own.start(['pair', '--name', names.headset, ...where]);
      const [, left, right] = await asking.expect(/digits on the phone: {2}(\d{3}) (\d{3})/);
      await waiting.expect('type the six digits that it shows: ');
      waiting.type(`${left}${right}\n`);
      await asking.expect('(y/N) ');
      asking.type('y\n');
      return { headset: await asking.ended, phone: await waiting.ended };
    },
    async wake(port = PORT) {
      signer = phone.start(['start', '--port', String(port)]);
      await signer.expect('listening on port');
      return signer;
    },
    async endSigner() {
      signer?.kill('SIGCONT');
      signer?.kill('SIGTERM');
      await signer?.ended;
      signer = null;
    },
    connect: (...options) =>
      headset.start([
        'connect',
        `${names.user}@${names.host}:${sshd.port}`,
        '--accept-new-host-key',
        ...options,
        '--',
        'id',
        '-un',
      ]),
    signatures: () => happened(phone, 'xstate.done.actor.keys').length,
    async expectNobodyNamed() {
      const wire = (await capture?.stop()) ?? Buffer.alloc(0);
      for (const seen of ['_vmux-signer', 'vmux-signer/1', 'vmux-pair/1', 'SSH-2.0-']) {
        expect(occurrences(wire, seen), seen).toContain('UTF-8');
      }
      const [, publicKey = ''] = authorized.split(' ');
      const [identity] = JSON.parse((await phone.run(['identity', 'list', '--json'])).stdout);
      const fingerprint = String(identity.fingerprint).replace('SHA256:', '');
      const said = [...Object.values(names), PASSPHRASE, publicKey, fingerprint];
      if (hostname().length > 5) said.push(hostname());
      for (const text of said) expect(occurrences(wire, text), text).toEqual([]);
      for (const bytes of [publicKey, fingerprint]) {
        expect(wire.includes(Buffer.from(bytes, 'base64'))).toBe(false);
      }
    },
    async dispose() {
      await sshd.stop();
      await hosts.dispose();
    },
  };
}

/** The person waits until the sheet takes input, and types the passphrase. */
export async function approve(at: RunningProgram): Promise<void> {
  await at.expect(PROMPT);
  at.type(`${PASSPHRASE}\n`);
}

export function expectLogin(end: Ended): void {
  expect(end).toMatchObject({ stdout: `${names.user}\n`, status: 0 });
}

export function expectFailure(end: Ended, reason: FailureReason): void {
  const { message, hint } = failures[reason];
  expect(end.stderr).toContain(`vmux: ${message}\nhint: ${hint}\n`);
  expect(end).toMatchObject({ stdout: '', status: 255 });
}

export const happened = (device: Device, type: string) =>
  eventsOf(device).filter((event) => event.type === type);

export const sheets = (at: RunningProgram) =>
  at.stdout().toString().split('SSH Sign Request').length - 1;
