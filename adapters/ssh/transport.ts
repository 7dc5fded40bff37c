import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { foreign } from './foreign-text.ts';
import type { Resolved } from './ssh-config.ts';

/** The byte stream that an SSH connection runs over. */
export interface Transport {
  /** Ready to be given to ssh2 as `sock` in the same turn. */
  stream: Duplex;
  /** Bytes received so far: whether the other side ever said anything. */
  received: () => number;
  /** What a proxy program said on its stderr; empty for TCP. */
  complaints: () => string;
  /** Closes; after `goodbye`, when the other side is there and reads what it is sent. */
  close: (goodbye: () => void) => void;
}

/** Begins to connect: TCP without Nagle's delay, or the proxy program of ssh_config. */
export function openTransport(resolved: Resolved): Transport {
  return resolved.proxy === null ? overTcp(resolved) : overProgram(resolved.proxy);
}

function overTcp({ hostname, port, family, connectTimeout }: Resolved): Transport {
  const stream = connect({ host: hostname, port, family, noDelay: true, keepAlive: true });
  if (connectTimeout !== null) {
    stream.setTimeout(connectTimeout, () => {
      stream.destroy(Object.assign(new Error('ConnectTimeout'), { code: 'ETIMEDOUT' }));
    });
    stream.once('connect', () => stream.setTimeout(0));
  }
  return {
    stream,
    received: () => stream.bytesRead,
    complaints: () => '',
    close(goodbye) {
      if (stream.connecting || stream.writableLength > 0) {
        stream.destroy();
        return;
      }
      goodbye();
      stream.destroySoon();
    },
  };
}

/** The stream ends only when the program has, so that its last words on stderr are known. */
function overProgram([file = '', ...args]: string[]): Transport {
  const child = spawn(file, args, { stdio: 'pipe' });
  let received = 0;
  let stderr = '';

  const stream = new Duplex({
    allowHalfOpen: false,
    read: () => child.stdout.resume(),
    write: (chunk: Buffer, _, done) => child.stdin.write(chunk, () => done()),
    final: (done) => child.stdin.end(() => done()),
    destroy: (error, done) => {
      child.kill();
      done(error);
    },
  });
  child.stdout.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (!stream.push(chunk)) child.stdout.pause();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < 4096) stderr += chunk.toString();
  });
  child.stdin.on('error', () => {});
  child.on('error', (error) => stream.destroy(error));
  child.on('close', () => stream.push(null));

  return {
    stream,
    received: () => received,
    complaints: () => foreign(stderr),
    close(goodbye) {
      if (stream.writableLength === 0) goodbye();
      stream.destroy();
    },
  };
}
