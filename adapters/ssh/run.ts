import { execFile } from 'node:child_process';

export interface Ran {
  /** `null`: ended by a signal, or aborted. */
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs one of OpenSSH's tools without a shell and with nothing on stdin. Never rejects. */
export function run(file: string, args: string[], signal?: AbortSignal): Promise<Ran | 'missing'> {
  return new Promise((resolve) => {
    const options = { maxBuffer: 1 << 20, ...(signal === undefined ? {} : { signal }) };
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      if (error?.code === 'ENOENT') resolve('missing');
      else resolve({ status: error === null ? 0 : child.exitCode, stdout, stderr });
    });
    child.stdin?.on('error', () => {}).end();
  });
}
