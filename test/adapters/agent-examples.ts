/** An agent in a temporary directory, an asker that speaks bytes, and messages made by hand. */
import { Buffer } from 'node:buffer';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  createAgentServer,
  type AgentServerOptions,
  type AgentSignRequest,
} from '../../adapters/agent/agent-server.ts';
import type { SessionBind } from '../../adapters/wire/session-bind.ts';
import { str, u32 } from './keys-examples.ts';

export const FAILURE = Buffer.of(5);
export const SUCCESS = Buffer.of(6);

export const listRequest = Buffer.of(11);
export const signRequest = (data: Uint8Array | string, keyBlob: Uint8Array | string = 'key') =>
  Buffer.concat([Buffer.of(13), str(keyBlob), str(data), u32(0)]);
export const signResponse = (signature: string) => Buffer.concat([Buffer.of(14), str(signature)]);
export const extension = (name: string, contents: Uint8Array = Buffer.alloc(0)) =>
  Buffer.concat([Buffer.of(27), str(name), contents]);
export const bindRequest = (bind: SessionBind) =>
  extension(
    'session-bind@openssh.com',
    Buffer.concat([
      str(bind.hostKey),
      str(bind.sessionId),
      str(bind.signature),
      Buffer.of(bind.isForwarding ? 1 : 0),
    ]),
  );

export const framed = (message: Uint8Array) => str(message);

/** A server's Ed25519 host key. */
export interface Host {
  keyBlob: Buffer;
  bind(sessionId: Uint8Array, isForwarding: boolean): SessionBind;
  holds(bind: SessionBind): boolean;
}

export function makeHost(): Host {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const keyBlob = Buffer.concat([str('ssh-ed25519'), str(raw)]);
  return {
    keyBlob,
    bind: (sessionId, isForwarding) => ({
      hostKey: keyBlob,
      sessionId,
      signature: Buffer.concat([str('ssh-ed25519'), str(sign(null, sessionId, privateKey))]),
      isForwarding,
    }),
    holds: ({ sessionId, signature }) =>
      verify(null, sessionId, publicKey, signature.subarray(-64)),
  };
}

/** One byte from another, as when something has tampered with it. */
export function tampered(bind: SessionBind): SessionBind {
  const signature = Buffer.from(bind.signature);
  signature.writeUInt8(signature.readUInt8(signature.length - 1) ^ 1, signature.length - 1);
  return { ...bind, signature };
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'agent-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A listening agent that offers nothing, signs nothing and takes every bind for valid. */
export async function startAgent(options: Partial<AgentServerOptions> = {}) {
  const path = join(temporaryDirectory(), 'agent.sock');
  const asked: AgentSignRequest[] = [];
  const server = createAgentServer({
    listIdentities: () => [],
    verifyBind: () => 'valid',
    ...options,
    sign(request) {
      asked.push(request);
      return options.sign?.(request) ?? Promise.resolve(null);
    },
  });
  await server.listen(path);
  onTestFinished(() => server.close());
  return { server, path, asked };
}

/** Speaks to an agent in bytes. */
export interface Asker {
  socket: Socket;
  /** The next answer; `null` when the agent has closed the socket instead. */
  answer(): Promise<Buffer | null>;
  ask(message: Uint8Array): Promise<Buffer | null>;
}

export async function startAsker(path: string): Promise<Asker> {
  const socket = connect(path);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  let bytes = Buffer.alloc(0);
  let isClosed = false;
  let news = Promise.withResolvers<void>();
  const tell = () => {
    news.resolve();
    news = Promise.withResolvers();
  };
  const close = () => {
    isClosed = true;
    tell();
  };
  socket.on('error', close).on('end', close).on('close', close);
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    tell();
  });

  async function answer(): Promise<Buffer | null> {
    for (;;) {
      const length = bytes.length < 4 ? Infinity : bytes.readUInt32BE();
      if (bytes.length >= 4 + length) {
        const message = bytes.subarray(4, 4 + length);
        bytes = bytes.subarray(4 + length);
        return message;
      }
      if (isClosed) return null;
      await news.promise;
    }
  }

  return {
    socket,
    answer,
    ask(message) {
      socket.write(framed(message));
      return answer();
    },
  };
}
