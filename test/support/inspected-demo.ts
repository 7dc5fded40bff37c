/** The demo with its page: both devices in one process, one login, one denial, one time-out. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';

export interface InspectedDemo {
  /** `file://…`, which lets one browser in. */
  readonly address: string;
  /** Resolves with what stood before it when the demo has printed it. */
  said(text: string): Promise<string>;
  /** As Ctrl-C does. Resolves with the exit status. */
  stop(): Promise<number | null>;
}

/** Without a desktop, so that no browser of the person's opens it. */
export async function startInspectedDemo(directory = tmpdir()): Promise<InspectedDemo> {
  const child = spawn(process.execPath, ['app/demo/start.ts', '--inspect'], {
    env: { ...process.env, TMPDIR: directory, DISPLAY: '', BROWSER: 'true' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  async function said(text: string): Promise<string> {
    while (!output.includes(text)) {
      if (child.exitCode !== null) throw new Error(`the demo ended:\n${output}`);
      await Promise.race([once(child.stdout, 'data'), exited]);
    }
    return output.slice(0, output.indexOf(text));
  }
  await said('and waits for your browser');
  const [, address = ''] = /(file:\S+)/.exec(output) ?? [];
  return {
    address,
    said,
    async stop() {
      child.kill('SIGINT');
      const [status] = await exited;
      return status;
    },
  };
}
