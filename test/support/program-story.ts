/** What people do again and again with the two programs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device, Ended, RunningProgram } from './program-driver.ts';
import type { Sshd } from './sshd.ts';

export const CODE_PROMPT = 'shows, d + Enter denies: ';
export const PROMPT = 'passphrase + Enter approves, d + Enter denies: ';

/** Creates an identity; its line for authorized_keys. */
export async function createIdentity(
  phone: Device,
  label: string,
  passphrase: string,
): Promise<string> {
  const made = await phone.run(['identity', 'create', label], { input: `${passphrase}\n` });
  if (made.status !== 0) throw new Error(made.stderr);
  return made.stdout.trim();
}

/** Both programs pair over loopback: the person types the headset's digits on the phone. */
export async function pair(
  headset: Device,
  phone: Device,
  names: { headset: string; phone: string } = { headset: 'Headset', phone: 'Phone' },
): Promise<{ headset: Ended; phone: Ended }> {
  const waiting = phone.start(['pair', '--listen', '127.0.0.1', '--name', names.phone]);
  const [, port = ''] = await waiting.expect(/on port (\d+)/);
  const asking = headset.start(['pair', '--address', `127.0.0.1:${port}`, '--name', names.headset]);
  const [, left, right] = await asking.expect(/digits on the phone: {2}(\d{3}) (\d{3})/);
  await waiting.expect('type the six digits that it shows: ');
  waiting.type(`${left}${right}\n`);
  await asking.expect('(y/N) ');
  asking.type('y\n');
  const [onHeadset, onPhone] = await Promise.all([asking.ended, waiting.ended]);
  return { headset: onHeadset, phone: onPhone };
}

export interface Phone extends RunningProgram {
  /** `127.0.0.1:PORT` of its link. */
  readonly address: string;
  /** Waits for a sheet that takes input, and types a line into it. */
  answer(line: string): Promise<void>;
  /** Waits for a sheet that asks for the headset's code, and types a line into it. */
  answerCode(line: string): Promise<void>;
}

/** `signer start` on a free port of loopback, or on `port`. */
export async function startPhone(phone: Device, port = 0): Promise<Phone> {
  const running = phone.start(['start', '--listen', '127.0.0.1', '--port', String(port)]);
  const [, listening = ''] = await running.expect(/listening on port (\d+)/);
  return {
    ...running,
    address: `127.0.0.1:${listening}`,
    async answer(line) {
      await running.expect(PROMPT);
      running.type(`${line}\n`);
    },
    async answerCode(line) {
      await running.expect(CODE_PROMPT);
      running.type(`${line}\n`);
    },
  };
}

/**
 * The phone knows that server from now on, under the name that people type: its logins need no code.
 */
export async function knowHost(
  phone: Device,
  sshd: Pick<Sshd, 'address' | 'port' | 'hostKeys'>,
  name = sshd.address,
): Promise<void> {
  for (const { publicKey } of Object.values(sshd.hostKeys)) {
    const known = await phone.run(['hosts', 'add', `${name}:${sshd.port}`, publicKey]);
    if (known.status !== 0) throw new Error(known.stderr);
  }
}

/** Paired, with one key that the server takes, and a phone that knows the server and waits. */
export async function readyToLogIn(
  headset: Device,
  phone: Device,
  sshd: Sshd,
  passphrase: string,
): Promise<Phone> {
  await sshd.setAuthorizedKeys([await createIdentity(phone, 'work', passphrase)]);
  await pair(headset, phone);
  await knowHost(phone, sshd);
  return startPhone(phone);
}

/** The code that a headset shows beside its waiting line. */
export async function shownCode(headset: RunningProgram): Promise<string> {
  const [, code = ''] = await headset.expect(/code (\d\d)/);
  return code;
}

/** Another code than this one. */
export const otherCode = (code: string) => (code === '00' ? '11' : '00');

/** Arguments of `vmux connect` to that server by way of that phone. */
export function connectTo(
  { address, port }: Pick<Sshd, 'address' | 'port'>,
  phone: Pick<Phone, 'address'>,
  command: string[] = [],
  options: string[] = [],
): string[] {
  return [
    'connect',
    `root@${address}:${port}`,
    '--accept-new-host-key',
    '--phone',
    phone.address,
    ...options,
    ...(command.length === 0 ? [] : ['--', ...command]),
  ];
}

/** A directory to put first in PATH, whose `ssh` reads this configuration and no other. */
export function sshWithConfig(directory: string, lines: string[]): string {
  const config = join(directory, 'ssh_config');
  writeFileSync(config, `${lines.join('\n')}\n`);
  writeFileSync(join(directory, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F '${config}' "$@"\n`, {
    mode: 0o755,
  });
  return directory;
}
