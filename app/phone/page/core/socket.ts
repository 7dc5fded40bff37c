/** One socket to the signer: each message is numbered and signed, and leaves in the order of calls. */
import {
  frameText,
  paths,
  type Frame,
  type PageMessage,
  type SignerMessage,
} from '../../../../adapters/phone-page/protocol.ts';
import { signText, type DeviceKey } from './device-key.ts';

export type Hello = Extract<SignerMessage, { type: 'hello' }>;

export interface SocketEvents {
  greeted(hello: Hello): void;
  message(message: Exclude<SignerMessage, Hello>): void;
  /** Once, and nothing comes after it. `code`: of WebSocket; 1006 when there is none. */
  closed(code: number): void;
}

export interface Socket {
  /** What is said before the signer's `hello` waits for it. */
  send(message: PageMessage): void;
  /** Without `closed`. */
  close(): void;
}

/** What a socket of the browser reports when nothing was said. */
const ABNORMAL = 1006;

export function openSocket(origin: string, key: DeviceKey, events: SocketEvents): Socket {
  const socket = new WebSocket(`${origin.replace(/^http/, 'ws')}${paths.socket}`);
  const greeting = Promise.withResolvers<string>();
  let isOver = false;
  let isGreeted = false;
  let seq = 0;
  let sent: Promise<unknown> = greeting.promise;

  function end(code: number): void {
    if (isOver) return;
    isOver = true;
    socket.close();
    events.closed(code);
  }

  async function frameOf(number: number, body: string): Promise<Frame> {
    const text = frameText(origin, await greeting.promise, { seq: number, body });
    return { seq: number, body, signature: await signText(key, text) };
  }

  socket.addEventListener('message', ({ data }) => {
    if (isOver) return;
    const message = readMessage(data);
    if (message === null) return;
    if (message.type !== 'hello') {
      if (isGreeted) events.message(message);
    } else if (!isGreeted) {
      isGreeted = true;
      greeting.resolve(message.nonce);
      events.greeted(message);
    }
  });
  socket.addEventListener('close', ({ code }) => end(code));
  socket.addEventListener('error', () => end(ABNORMAL));

  return {
    send(message) {
      seq += 1;
      const [number, body] = [seq, JSON.stringify(message)];
      sent = sent
        .then(() => frameOf(number, body))
        .then((frame) => {
          if (!isOver) socket.send(JSON.stringify(frame));
        })
        .catch(() => end(ABNORMAL));
    },
    close() {
      isOver = true;
      socket.close();
    },
  };
}

function readMessage(data: unknown): SignerMessage | null {
  try {
    const message = JSON.parse(String(data)) as SignerMessage | null;
    return typeof message?.type === 'string' ? message : null;
  } catch {
    return null;
  }
}
