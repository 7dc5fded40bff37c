/** The raw agent protocol (RFC 9987), spoken by a program that need not mean well. */
import { createConnection, type Socket } from 'node:net';
import { once } from 'node:events';
import { str, u32 } from '../adapters/keys-examples.ts';
import type { SessionBind } from '../../adapters/wire/session-bind.ts';

export const SSH_AGENT_FAILURE = 5;
const SSH_AGENT_SUCCESS = 6;
const SSH_AGENTC_REQUEST_IDENTITIES = 11;
const SSH_AGENTC_SIGN_REQUEST = 13;
const SSH_AGENT_SIGN_RESPONSE = 14;
const SSH_AGENTC_EXTENSION = 27;

export interface AgentClient {
  /** The answer to one message. Rejects when the agent hangs up instead. */
  ask(message: Uint8Array): Promise<Buffer>;
  /** The comments of the keys that it lists. */
  list(): Promise<string[]>;
  /** Whether it took the bind. */
  bind(bind: SessionBind): Promise<boolean>;
  /** The signature blob, or null where it fails. */
  sign(keyBlob: Uint8Array, data: Uint8Array): Promise<Buffer | null>;
  close(): void;
}

export async function connectAgent(socketPath: string): Promise<AgentClient> {
  const socket = createConnection(socketPath);
  await once(socket, 'connect');
  const next = framesOf(socket);

  async function ask(message: Uint8Array): Promise<Buffer> {
    socket.write(str(message));
    return next();
  }
  return {
    ask,
    list: async () => commentsIn(await ask(Buffer.of(SSH_AGENTC_REQUEST_IDENTITIES))),
    bind: async (bind) => (await ask(bindMessage(bind)))[0] === SSH_AGENT_SUCCESS,
    async sign(keyBlob, data) {
      const answer = await ask(
        Buffer.concat([Buffer.of(SSH_AGENTC_SIGN_REQUEST), str(keyBlob), str(data), u32(0)]),
      );
      return answer[0] === SSH_AGENT_SIGN_RESPONSE ? answer.subarray(5) : null;
    },
    close: () => void socket.destroy(),
  };
}

function bindMessage({ hostKey, sessionId, signature, isForwarding }: SessionBind): Buffer {
  return Buffer.concat([
    Buffer.of(SSH_AGENTC_EXTENSION),
    str('session-bind@openssh.com'),
    str(hostKey),
    str(sessionId),
    str(signature),
    Buffer.of(isForwarding ? 1 : 0),
  ]);
}

function commentsIn(answer: Buffer): string[] {
  const comments: string[] = [];
  let at = 5;
  const string = () => {
    const start = at + 4;
    at = start + answer.readUInt32BE(at);
    return answer.subarray(start, at).toString();
  };
  while (at < answer.length) {
    string();
    comments.push(string());
  }
  return comments;
}

/** Gives the next whole message of a stream, each time it is called. */
function framesOf(socket: Socket): () => Promise<Buffer> {
  let held = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => (held = Buffer.concat([held, chunk])));
  const closed = once(socket, 'close');
  const length = () => (held.length < 4 ? Infinity : held.readUInt32BE());
  return async () => {
    while (held.length < 4 + length()) {
      await Promise.race([once(socket, 'data'), closed]);
      if (socket.destroyed && held.length < 4 + length()) throw new Error('the agent hung up');
    }
    const message = held.subarray(4, 4 + length());
    held = held.subarray(4 + length());
    return message;
  };
}
