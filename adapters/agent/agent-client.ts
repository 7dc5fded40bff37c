/** The asking side of the agent protocol (RFC 9987), as far as an agent is examined with it. */
import { Buffer } from 'node:buffer';
import { connect } from 'node:net';
import { encodeString, encodeUint32 } from '../wire/ssh-wire.ts';
import { wireReader } from '../wire/wire-reader.ts';
import type { AgentIdentity } from './agent-server.ts';
import { createFrameInbox, encodeFrame } from './frames.ts';
import {
  SSH_AGENTC_REQUEST_IDENTITIES,
  SSH_AGENTC_SIGN_REQUEST,
  SSH_AGENT_IDENTITIES_ANSWER,
  SSH_AGENT_SIGN_RESPONSE,
} from './protocol.ts';

/**
 * Sends one message over a socket of its own. Resolves with the answer, without its frame; `null`
 * when nothing can be connected to at `path`, when what answers is no frame, and when `signal`
 * aborts before there is one. Never rejects.
 */
export function askAgent(
  path: string,
  message: Uint8Array,
  signal: AbortSignal,
): Promise<Buffer | null> {
  const { promise, resolve } = Promise.withResolvers<Buffer | null>();
  const socket = connect(path);
  const inbox = createFrameInbox();
  const end = (answer: Buffer | null) => {
    signal.removeEventListener('abort', giveUp);
    socket.destroy();
    resolve(answer);
  };
  const giveUp = () => end(null);
  socket.on('data', (chunk: Buffer) => {
    inbox.push(chunk);
    const answer = inbox.next();
    if (answer !== null || inbox.isBroken()) end(answer);
  });
  socket.on('error', giveUp);
  socket.on('close', giveUp);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  else socket.write(encodeFrame(message));
  return promise;
}

/** RFC 9987 §5.5. */
export function encodeRequestIdentities(): Buffer {
  return Buffer.of(SSH_AGENTC_REQUEST_IDENTITIES);
}

/** RFC 9987 §5.6, without flags. */
export function encodeSignRequest(keyBlob: Uint8Array, data: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.of(SSH_AGENTC_SIGN_REQUEST),
    encodeString(keyBlob),
    encodeString(data),
    encodeUint32(0),
  ]);
}

/** RFC 9987 §5.5; `null` for anything else or anything more. Comments are foreign text. */
export function readIdentitiesAnswer(message: Uint8Array): AgentIdentity[] | null {
  const reader = wireReader(message);
  if (reader.byte() !== SSH_AGENT_IDENTITIES_ANSWER) return null;
  const count = reader.uint32();
  if (count === null) return null;
  const identities: AgentIdentity[] = [];
  for (let i = 0; i < count; i += 1) {
    const keyBlob = reader.string();
    const comment = reader.string();
    if (keyBlob === null || comment === null) return null;
    identities.push({
      keyBlob: Buffer.from(keyBlob),
      comment: Buffer.from(comment).toString('utf8'),
    });
  }
  return reader.atEnd() ? identities : null;
}

/** RFC 9987 §5.6: the signature blob, unverified; `null` for anything else or anything more. */
export function readSignResponse(message: Uint8Array): Buffer | null {
  const reader = wireReader(message);
  if (reader.byte() !== SSH_AGENT_SIGN_RESPONSE) return null;
  const signature = reader.string();
  return signature !== null && reader.atEnd() ? Buffer.from(signature) : null;
}
