import type { TLSSocket } from 'node:tls';
import { createFrameDecoder, encodeFrame } from './frames.ts';
import type { ByeReason } from './messages.ts';

/** Half a heartbeat: a ping every second one, dead after six in which nothing was heard. */
const TICK = 500;
const TICKS_A_PING = 2;
const SILENT_TICKS = 6;
/** How long a closed session waits for the peer to take the last frame. */
const LINGER = 500;
/** More than this unsent means that the peer does not read. */
const MAX_UNSENT = 512 * 1024;

/** How a session ended. */
export type SessionEnd =
  /** This side closed it. */
  | { how: 'closed'; detail: string }
  /** The peer said goodbye. */
  | { how: 'bye'; reason: ByeReason; detail: string }
  /** The peer sent what it may not send. */
  | { how: 'malformed'; detail: string }
  /** Nothing heard for three seconds, or the network failed. */
  | { how: 'lost'; detail: string; heard: boolean }
  /** The peer closed its side without a goodbye. `heard`: it had sent something before. */
  | { how: 'cut'; detail: string; heard: boolean };

type Liveness = { t: 'ping' } | { t: 'pong' } | { t: 'bye'; reason: ByeReason };

export interface SessionOptions<Incoming extends { t: string }> {
  /** Handshaken, and the peer's certificate judged. */
  socket: TLSSocket;
  /** A message that the peer may send, or null. */
  read: (json: unknown) => Incoming | Liveness | null;
  receive: (message: Exclude<Incoming, Liveness>) => void;
  /** Called before any bytes that arrived are looked at. */
  arriving?: () => void;
  /** Called exactly once. No message is delivered after it. */
  ended: (end: SessionEnd) => void;
}

/** A framed, heartbeating channel over one TLS socket. */
export interface Session<Outgoing> {
  /** False when the session has ended; nothing is sent then. */
  send(message: Outgoing): boolean;
  /** Says goodbye and ends. */
  close(reason: ByeReason, detail?: string): void;
  /** Ends without a word: the peer broke the protocol. */
  refuse(detail: string): void;
  isOpen(): boolean;
}

const networkErrors = new Set([
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EHOSTDOWN',
]);

/**
 * Opens a session: pings every second, ends after three seconds of silence, on a goodbye, and on
 * anything malformed. Its timers do not keep the process alive; the socket does.
 */
export function openSession<Incoming extends { t: string }, Outgoing>(
  options: SessionOptions<Incoming>,
): Session<Outgoing> {
  const { socket, read, receive, arriving, ended } = options;
  const decoder = createFrameDecoder();
  let open = true;
  let heard = false;
  let ticks = 0;
  let silentTicks = 0;
  let error: NodeJS.ErrnoException | null = null;

  const heartbeat = setInterval(() => {
    silentTicks += 1;
    if (silentTicks >= SILENT_TICKS) {
      finish({ how: 'lost', detail: 'silent', heard });
      socket.destroy();
      return;
    }
    ticks += 1;
    if (ticks % TICKS_A_PING === 0) write({ t: 'ping' });
  }, TICK).unref();

  function finish(end: SessionEnd): void {
    if (!open) return;
    open = false;
    clearInterval(heartbeat);
    const linger = setTimeout(() => socket.destroy(), LINGER).unref();
    socket.once('close', () => clearTimeout(linger));
    ended(end);
  }

  function write(message: unknown): boolean {
    if (!open || !socket.writable) return false;
    socket.write(encodeFrame(message));
    if (socket.writableLength <= MAX_UNSENT) return true;
    finish({ how: 'lost', detail: 'the peer does not read', heard });
    socket.destroy();
    return false;
  }

  function close(reason: ByeReason, detail: string = reason): void {
    if (!open) return;
    // What the peer still sends is read and dropped: unread bytes would make the kernel reset the
    // connection, and the goodbye could be lost.
    if (socket.writable) socket.end(encodeFrame({ t: 'bye', reason }));
    finish({ how: 'closed', detail });
  }

  function refuse(detail: string): void {
    // What was said before still arrives; it tells a peer that it was let in at all.
    if (open) socket.end();
    finish({ how: 'malformed', detail });
  }

  function take(json: unknown): void {
    const message = read(json);
    if (message === null) {
      refuse('malformed message');
    } else if (message.t === 'ping') {
      write({ t: 'pong' });
    } else if (message.t === 'bye') {
      const { reason } = message as Extract<Liveness, { t: 'bye' }>;
      finish({ how: 'bye', reason, detail: `bye: ${reason}` });
      socket.end();
    } else if (message.t !== 'pong') {
      receive(message as Exclude<Incoming, Liveness>);
    }
  }

  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    if (!open) return;
    arriving?.();
    heard = true;
    silentTicks = 0;
    const { messages, broken } = decoder.push(chunk);
    for (const message of messages) {
      if (!open) return;
      take(message);
    }
    if (broken) refuse('malformed frame');
  });
  socket.on('error', (raised: NodeJS.ErrnoException) => {
    error = raised;
  });
  socket.on('end', () => finish({ how: 'cut', detail: 'closed by the peer', heard }));
  socket.on('close', () => {
    const detail = error?.code ?? 'closed';
    const how = error?.code !== undefined && networkErrors.has(error.code) ? 'lost' : 'cut';
    finish({ how, detail, heard });
  });

  return { send: write, close, refuse, isOpen: () => open };
}
