/** What people do again and again with `vmux agent` and stock programs. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device, Ended, RunningProgram } from './program-driver.ts';
import { CODE_PROMPT, PROMPT, type Phone } from './program-story.ts';
import type { Sshd } from './sshd.ts';

export { CODE_PROMPT };

export interface Agent extends RunningProgram {
  readonly socket: string;
}

/** `vmux agent`, linked with that phone. */
export async function startAgent(headset: Device, phone: Pick<Phone, 'address'>): Promise<Agent> {
  const running = headset.start(['agent', '--phone', phone.address]);
  const [, socket = ''] = await running.expect(/listening on (\S+)\. /);
  // It may have been linked before it listened.
  if (!running.stderr().includes('linked with ')) await running.expect('linked with ');
  return { ...running, socket };
}

/** A program at the headset that uses the agent, and what it says. */
export interface Client {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts a program in the headset's environment, with `SSH_AUTH_SOCK` set. Its input is empty. */
export function startClient(
  headset: Device,
  agent: Pick<Agent, 'socket'>,
  [file = '', ...args]: string[],
  options: { env?: Record<string, string>; cwd?: string; input?: string } = {},
): Client {
  const [program = '', ...words] = [...headset.prefix, file, ...args];
  const child = spawn(program, words, {
    env: { ...headset.env, SSH_AUTH_SOCK: agent.socket, ...options.env },
    cwd: options.cwd,
    stdio: 'pipe',
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
  return { child, ended };
}

/**
 * Writes an ssh_config with an alias for each server, which knows their host keys and no key file,
 * and returns `-F` and its path. `lines` follow for every host.
 */
export function configureSsh(
  headset: Device,
  servers: Record<string, Sshd>,
  lines: string[] = [],
): string[] {
  const folder = join(headset.env['HOME'] ?? '', '.ssh');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const knownHosts = join(folder, 'known_hosts');
  const keys = Object.values(servers).flatMap(({ address, port, hostKeys }) =>
    Object.values(hostKeys).map(({ publicKey }) => `[${address}]:${port} ${publicKey}\n`),
  );
  writeFileSync(knownHosts, keys.join(''));
  const hosts = Object.entries(servers).map(
    ([alias, { address, port }]) =>
      `Host ${alias}\n  HostName ${address}\n  Port ${port}\n  User root\n`,
  );
  const all = ['IdentityFile none', `UserKnownHostsFile ${knownHosts}`, 'BatchMode yes', ...lines];
  const config = join(folder, 'config');
  writeFileSync(config, `${hosts.join('')}Host *\n${all.map((line) => `  ${line}\n`).join('')}`);
  return ['-F', config];
}

/** Types the code that the agent shows, once the sheet asks for it, and then answers. */
export async function answerWithCode(phone: Phone, agent: Agent, line: string): Promise<void> {
  const [, code = ''] = await agent.expect(/code (\d\d)/);
  await phone.expect(CODE_PROMPT);
  phone.type(`${code}\n`);
  await phone.expect(PROMPT);
  phone.type(`${line}\n`);
}
