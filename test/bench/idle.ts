/** Both programs as a person leaves them: a shell open on the headset, the phone waiting. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeKeyFile } from '../../adapters/keys/key-files.ts';
import { sealKey } from '../../adapters/keys/sealed-key.ts';
import type { Devices } from './devices.ts';
import { program, type SshSetup } from './programs.ts';

const PASSPHRASE = 'open sesame';

interface Waiting {
  /** Resident bytes now, as the kernel counts them. */
  memory: () => number;
  type: (text: string) => void;
  /** Resolves when the program has printed this, on stdout. */
  said: (what: RegExp) => Promise<RegExpExecArray>;
  stop: () => Promise<void>;
}

/** `signer start`, and a shell of `vmux connect` whose login it has approved, scrypt and all. */
export async function startWaitingPrograms(
  { headsetHome, phoneHome, key }: Devices,
  { env }: SshSetup,
): Promise<{ signer: Waiting; vmux: Waiting; stop: () => Promise<void> }> {
  await writeKeyFile(phoneHome, await sealKey(key, Buffer.from(PASSPHRASE)));
  const signer = start('signer', ['start', '--port', '0', '--listen', '127.0.0.1'], {
    ...env,
    SIGNER_HOME: phoneHome,
  });
  const [, port] = await signer.said(/listening on port (\d+)/);
  const address = ['--phone', `127.0.0.1:${port}`, '--accept-new-host-key'];
  const vmux = start('vmux', ['connect', 'bench', ...address], { ...env, VMUX_HOME: headsetHome });
  const stop = async () => {
    await vmux.stop();
    await signer.stop();
  };
  try {
    await signer.said(/passphrase \+ Enter approves/);
    signer.type(`${PASSPHRASE}\n`);
    vmux.type('echo $((6 * 7))\n');
    await vmux.said(/^42$/m);
    return { signer, vmux, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function start(name: 'vmux' | 'signer', args: string[], env: NodeJS.ProcessEnv): Waiting {
  const child = spawn(process.execPath, [program(name), ...args], { env });
  const exited = once(child, 'exit');
  let output = '';
  let complaints = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  return {
    memory: () => residentBytes(child.pid ?? 0),
    type: (text) => void child.stdin.write(text),
    async said(what) {
      for (;;) {
        const found = what.exec(output);
        if (found !== null) return found;
        if (child.exitCode !== null) throw new Error(`${name} ended:\n${output}${complaints}`);
        await Promise.race([once(child.stdout, 'data'), exited]);
      }
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Ten moments of two seconds in which nothing happens. Bytes. */
export async function idleMemory({ memory }: Waiting): Promise<number[]> {
  const taken: number[] = [];
  while (taken.length < 10) {
    await sleep(200);
    taken.push(memory());
  }
  return taken;
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? NaN) * 1024;
}
