/** The programs as whole processes: how long they take from start to end. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sshd } from '../support/sshd.ts';
import { timed } from './measure.ts';

/** The path of a program's entry. */
export const program = (name: 'vmux' | 'signer') =>
  new URL(`../../app/bin/${name}.js`, import.meta.url).pathname;

export interface SshSetup {
  /** An ssh_config with the alias `bench`. */
  configFile: string;
  /** For both programs: an agent with the key, and an `ssh` that reads that ssh_config. */
  env: NodeJS.ProcessEnv;
  stop: () => void;
}

/** The server as OpenSSH's client knows it, and a running ssh-agent that holds a key for it. */
export function setUpSsh(sshd: Sshd, user: string, keyFile: string): SshSetup {
  const { directory } = sshd;
  const configFile = join(directory, 'ssh_config');
  const knownHosts = join(directory, 'known_hosts');
  writeFileSync(
    knownHosts,
    `[${sshd.address}]:${sshd.port} ${sshd.hostKeys.ed25519?.publicKey ?? ''}\n`,
  );
  writeFileSync(
    configFile,
    `Host bench
  HostName ${sshd.address}
  Port ${sshd.port}
  User ${user}
  UserKnownHostsFile ${knownHosts}
  IdentityFile none
`,
  );
  const real = run('sh', ['-c', 'command -v ssh']).trim();
  writeFileSync(join(directory, 'ssh'), `#!/bin/sh\nexec ${real} -F '${configFile}' "$@"\n`);
  chmodSync(join(directory, 'ssh'), 0o700);

  const started = run('ssh-agent', ['-s']);
  const value = (name: string) => new RegExp(`${name}=([^;]+);`).exec(started)?.[1] ?? '';
  const agent = { SSH_AUTH_SOCK: value('SSH_AUTH_SOCK'), SSH_AGENT_PID: value('SSH_AGENT_PID') };
  const env = { ...process.env, ...agent, PATH: `${directory}:${process.env['PATH']}` };
  run('ssh-add', ['-q', keyFile], env);
  return { configFile, env, stop: () => process.kill(Number(agent.SSH_AGENT_PID)) };
}

function run(file: string, args: string[], env = process.env): string {
  const { status, stdout, stderr } = spawnSync(file, args, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${file}: ${stderr}`);
  return stdout;
}

/** Milliseconds that a program took from its start to its end. It must end with status 0. */
export function wholeProcess(
  file: string,
  args: string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  return timed(async () => {
    const child = spawn(file, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [status] = await once(child, 'exit');
    if (status !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${status}:\n${said}`);
  });
}

/** `vmux ARGS`, on this Node, with the state directory. */
export function vmux(args: string[], home: string, env: NodeJS.ProcessEnv): Promise<number> {
  return wholeProcess(process.execPath, [program('vmux'), ...args], { ...env, VMUX_HOME: home });
}
