/** Stock ssh as a whole process, with the agents that a person might let it use. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installNameHelper, nameHelperPath } from '../../app/headset/agent/name-helper.ts';
import { sshConfigLines } from '../../app/headset/agent/ssh-config.ts';
import type { Sshd } from '../support/sshd.ts';
import { answeredAskpass, silentAskpass } from './askpass.ts';
import type { Devices } from './devices.ts';
import { program, wholeProcess } from './programs.ts';

export interface StockSsh {
  /**
   * Milliseconds of one `ssh HOST true`, by what signs. Without a dialog to answer, `confirmed`
   * resolves with NaN.
   */
  logIn: Record<
    'sshAgent' | 'ours' | 'oursNamed' | 'unseen' | 'confirmed' | 'forwarded',
    () => Promise<number>
  >;
  stop: () => Promise<void>;
}

/** As the phone has it pinned. */
const NAMED = 'bench';

/** `hop`: another server, which runs ssh to the first one with a forwarded ssh-agent. */
export async function startStockSsh(
  { headsetHome }: Devices,
  { sshd, hop, user, keyFile }: { sshd: Sshd; hop: Sshd; user: string; keyFile: string },
): Promise<StockSsh> {
  const directory = join(sshd.directory, 'agents');
  mkdirSync(directory, { mode: 0o700 });
  const at = (name: string) => join(directory, name);
  const silent = silentAskpass(directory);
  const answered = await answeredAskpass(directory);
  installNameHelper(headsetHome);
  const named = sshConfigLines(at('ours.sock'), nameHelperPath(headsetHome));
  const config = at('ssh_config');
  writeFileSync(at('known_hosts'), [sshd, hop].map(knownHost).join(''));
  writeFileSync(
    config,
    `Host hop
  Port ${hop.port}
  ForwardAgent yes
Host *
  HostName ${sshd.address}
  Port ${sshd.port}
  User ${user}
  UserKnownHostsFile ${at('known_hosts')}
  IdentityFile none
  BatchMode yes
${named.replace('Host *', `Host ${NAMED}`)}`,
  );

  const ours = startAgent(
    process.execPath,
    [program('vmux'), 'agent', '--socket', at('ours.sock')],
    {
      VMUX_HOME: headsetHome,
    },
  );
  const agents = [
    startAgent('ssh-agent', ['-D', '-a', at('plain.sock')]),
    startAgent('ssh-agent', ['-D', '-a', at('unseen.sock')], silent.env),
    startAgent('ssh-agent', ['-D', '-a', at('confirm.sock')], answered?.env),
    ours,
  ];
  const stop = async () => {
    for (const agent of agents) await agent.stop();
    await answered?.stop();
  };
  const login =
    (agent: string, host: string, command = ['true']) =>
    () =>
      wholeProcess('ssh', ['-F', config, host, ...command], {
        ...process.env,
        SSH_AUTH_SOCK: at(agent),
      });
  try {
    for (const name of ['plain.sock', 'unseen.sock', 'confirm.sock', 'ours.sock'])
      await exists(at(name));
    await ours.said('linked with');
    addKey(keyFile, at('plain.sock'), []);
    for (const name of ['unseen.sock', 'confirm.sock']) addKey(keyFile, at(name), ['-c']);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    logIn: {
      sshAgent: login('plain.sock', 'plain'),
      ours: login('ours.sock', 'plain'),
      oursNamed: login('ours.sock', NAMED),
      unseen: login('unseen.sock', 'plain'),
      confirmed: answered === null ? async () => NaN : login('confirm.sock', 'plain'),
      forwarded: login('plain.sock', 'hop', ['ssh', '-F', config, 'plain', 'true']),
    },
    stop,
  };
}

const knownHost = ({ address, port, hostKeys }: Sshd) =>
  `[${address}]:${port} ${hostKeys.ed25519?.publicKey ?? ''}\n`;

function startAgent(file: string, args: string[], env: Record<string, string> = {}) {
  const child = spawn(file, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return {
    async said(what: string) {
      while (!said.includes(what)) {
        if (child.exitCode !== null) throw new Error(`${file} ended:\n${said}`);
        await Promise.race([once(child.stderr, 'data'), exited]);
      }
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function exists(path: string): Promise<void> {
  for (let tries = 0; !existsSync(path); tries += 1) {
    if (tries === 500) throw new Error(`${path} never came`);
    await sleep(20);
  }
}

function addKey(keyFile: string, socket: string, options: string[]): void {
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  const { status, stderr } = spawnSync('ssh-add', ['-q', ...options, keyFile], { env });
  if (status !== 0) throw new Error(`ssh-add: ${stderr.toString()}`);
}
