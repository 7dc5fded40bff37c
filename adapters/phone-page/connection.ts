/** One socket of the phone's page: each frame is numbered, and signed by its browser's device key. */
import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import { isSignedBy } from './device-key.ts';
import { readFrame, readPageMessage } from './messages.ts';
import {
  BEAT_PERIOD,
  closeCodes,
  frameText,
  PAGE_PROTOCOL,
  type PageMessage,
  type SignerMessage,
} from './protocol.ts';
import { newSecret } from './sessions.ts';

export interface PageConnection {
  readonly id: string;
  readonly browserId: string;
  /** Goes nowhere once it is closed. A page that does not read is closed. */
  send(message: SignerMessage): void;
  onMessage(listener: (message: PageMessage) => void): void;
  onClose(listener: () => void): void;
  close(code: number): void;
}

export interface ConnectionParts {
  socket: WebSocket;
  origin: string;
  release: string;
  browserId: string;
  /** Raw point of its device key, base64url; `null`: it is not paired any more. May throw. */
  publicKey: () => string | null;
}

/** Bytes that a page may be behind. */
const MOST_UNREAD = 4 * 1024 * 1024;
/** Pings that may be unanswered: each way, two missed beats are a dead socket. */
const MOST_UNANSWERED = 2;
/** How long a page may take to say that it closes, too. Milliseconds. */
const CLOSE_TIMEOUT = 1_000;

export function openConnection(parts: ConnectionParts): PageConnection {
  const { socket, origin, release, browserId, publicKey } = parts;
  const nonce = newSecret();
  const listeners: ((message: PageMessage) => void)[] = [];
  const closed: (() => void)[] = [];
  let last = 0;
  let unanswered = 0;
  let isOpen = true;

  function send(message: SignerMessage): void {
    if (!isOpen) return;
    if (socket.bufferedAmount > MOST_UNREAD) return socket.terminate();
    socket.send(JSON.stringify(message));
  }

  function close(code: number): void {
    if (!isOpen) return;
    isOpen = false;
    socket.close(code);
    setTimeout(() => socket.terminate(), CLOSE_TIMEOUT).unref();
  }

  /** `null` unless it is the next frame, by this browser, on this socket. */
  function messageIn(text: string, key: string): PageMessage | null {
    const frame = readFrame(text);
    if (frame === null || frame.seq !== last + 1) return null;
    if (!isSignedBy(key, frameText(origin, nonce, frame), frame.signature)) return null;
    last = frame.seq;
    return readPageMessage(frame.body);
  }

  /** `undefined`: it cannot be told now. */
  function keyNow(): string | null | undefined {
    try {
      return publicKey();
    } catch {
      return undefined;
    }
  }

  socket.on('message', (data, isBinary) => {
    if (!isOpen) return;
    const key = keyNow();
    if (key === undefined) return close(closeCodes.ended);
    if (key === null) return close(closeCodes.unpaired);
    const message = isBinary ? null : messageIn(String(data), key);
    if (message === null) return close(closeCodes.breach);
    for (const listener of listeners) listener(message);
  });
  socket.on('pong', () => (unanswered = 0));
  // What is wrong with a socket is told by its close.
  socket.on('error', () => {});
  const pinging = setInterval(() => {
    unanswered += 1;
    if (unanswered > MOST_UNANSWERED) return socket.terminate();
    socket.ping();
    send({ type: 'beat' });
  }, BEAT_PERIOD).unref();
  socket.on('close', () => {
    isOpen = false;
    clearInterval(pinging);
    for (const listener of closed) listener();
  });
  send({ type: 'hello', nonce, protocol: PAGE_PROTOCOL, release });

  return {
    id: randomUUID(),
    browserId,
    send,
    onMessage: (listener) => void listeners.push(listener),
    onClose: (listener) => void closed.push(listener),
    close,
  };
}
