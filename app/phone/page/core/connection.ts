/** The connection to the signer: kept up while the page is there, and told when it is seen. */
import {
  closeCodes,
  PAGE_PROTOCOL,
  type PageMessage,
  type SignerMessage,
} from '../../../../adapters/phone-page/protocol.ts';
import { comeIn } from './sign-in.ts';
import { openSocket, type Socket } from './socket.ts';
import type { Device } from './store.ts';

export type Link = 'connecting' | 'up' | 'lost';

export interface ConnectionParts {
  device: Device;
  link: (link: Link) => void;
  received: (message: SignerMessage) => void;
  /** The signer does not know this browser any more. */
  unpaired: () => void;
}

export interface Connection {
  send(message: PageMessage): void;
  /** For good. */
  end(): void;
}

/** Milliseconds between two tries, at first and at most. */
const FIRST_PAUSE = 300;
const LONGEST_PAUSE = 5_000;
const RELOADED = 'reloaded for another protocol';

export function keepConnected(parts: ConnectionParts): Connection {
  const { device, link, received, unpaired } = parts;
  let socket: Socket | null = null;
  let isTrying = false;
  let isOver = false;
  let pause = FIRST_PAUSE;
  let retry: ReturnType<typeof setTimeout> | undefined;

  const tellVisibility = () => socket?.send({ type: 'page.visibility', visible: isVisible() });

  function soon(): void {
    if (isOver) return;
    clearTimeout(retry);
    link('lost');
    retry = setTimeout(() => void attempt(), pause * (0.5 + Math.random() / 2));
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }

  async function attempt(): Promise<void> {
    if (isOver || isTrying || socket !== null) return;
    isTrying = true;
    clearTimeout(retry);
    link('connecting');
    const came = await comeIn(device);
    isTrying = false;
    if (isOver) return;
    if (came === 'unpaired') return giveUp();
    if (came !== 'in') return soon();
    socket = openSocket({ device, received: receive, closed: lost });
  }

  function receive(message: SignerMessage): void {
    if (message.type === 'hello') {
      if (message.protocol !== PAGE_PROTOCOL) return reloadOnce();
      sessionStorage.removeItem(RELOADED);
      pause = FIRST_PAUSE;
      tellVisibility();
      link('up');
    }
    received(message);
  }

  function lost(code: number): void {
    socket = null;
    if (code === closeCodes.unpaired) giveUp();
    else soon();
  }

  function giveUp(): void {
    end();
    unpaired();
  }

  /** A page from before the signer was updated: its worker may hold the old shell once. */
  function reloadOnce(): void {
    end();
    if (sessionStorage.getItem(RELOADED) !== null) return link('lost');
    sessionStorage.setItem(RELOADED, 'yes');
    location.reload();
  }

  function visibilityChanged(): void {
    tellVisibility();
    if (isVisible()) atOnce();
  }

  /** Whatever made the last try fail may be over. */
  function atOnce(): void {
    pause = FIRST_PAUSE;
    void attempt();
  }

  function end(): void {
    isOver = true;
    clearTimeout(retry);
    socket?.close();
    socket = null;
    document.removeEventListener('visibilitychange', visibilityChanged);
    removeEventListener('online', atOnce);
    removeEventListener('pageshow', atOnce);
  }

  document.addEventListener('visibilitychange', visibilityChanged);
  addEventListener('online', atOnce);
  addEventListener('pageshow', atOnce);
  void attempt();
  return { send: (message) => socket?.send(message), end };
}

const isVisible = () => document.visibilityState === 'visible';
