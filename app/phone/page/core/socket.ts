/** One socket to the signer: every message that leaves is numbered and signed. */
import {
  frameText,
  paths,
  type PageMessage,
  type SignerMessage,
} from '../../../../adapters/phone-page/protocol.ts';
import { signText } from './device-key.ts';
import type { Device } from './store.ts';

export interface Socket {
  /** Goes nowhere once it is closed. */
  send(message: PageMessage): void;
  close(): void;
}

export interface SocketParts {
  device: Device;
  /** `hello` first. */
  received: (message: SignerMessage) => void;
  /** `code`: as the protocol has them; 1006 when there was no goodbye. */
  closed: (code: number) => void;
}

export function openSocket({ device, received, closed }: SocketParts): Socket {
  const address = `${location.origin.replace(/^http/, 'ws')}${paths.socket}`;
  const socket = new WebSocket(address);
  let nonce: string | null = null;
  let seq = 0;
  /** Frames leave in the order of their numbers, however long signing takes. */
  let leaving: Promise<void> = Promise.resolve();

  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as SignerMessage;
    if (message.type === 'hello') nonce = message.nonce;
    received(message);
  });
  socket.addEventListener('close', ({ code }) => closed(code));

  async function leave(body: string): Promise<void> {
    if (nonce === null || socket.readyState !== WebSocket.OPEN) return;
    seq += 1;
    const unsigned = { seq, body };
    const signature = await signText(device.keys, frameText(location.origin, nonce, unsigned));
    if (socket.readyState === WebSocket.OPEN) {
      socket.send(JSON.stringify({ ...unsigned, signature }));
    }
  }

  return {
    send(message) {
      const body = JSON.stringify(message);
      leaving = leaving.then(() => leave(body));
    },
    close: () => socket.close(),
  };
}
