/** The way to the signer: a socket, and another one whenever it is gone. */
import {
  BEAT_PERIOD,
  closeCodes,
  PAGE_PROTOCOL,
  type PageMessage,
  type SignerMessage,
} from '../../../../adapters/phone-page/protocol.ts';
import type { Device } from './device-key.ts';
import { signIn } from './sign-in.ts';
import { openSocket, type Hello, type Socket } from './socket.ts';

/** What the link itself does not keep. */
export type Told = Exclude<SignerMessage, Hello | { type: 'beat' }>;

export interface LinkParts {
  device: Device;
  origin: string;
  /** Whether a session was begun already. */
  isIn: boolean;
  up(): void;
  message(message: Told): void;
  /** It was up, or was tried; the next try comes by itself. */
  lost(): void;
  unpaired(): void;
  /** The signer speaks another protocol than this page, which says nothing to it. */
  otherProtocol(): void;
}

export interface Link {
  /** Goes nowhere while the link is not up. */
  send(message: PageMessage): void;
  /** Now is a good moment for the next try. */
  hurry(): void;
  /** A socket that may have died unseen is replaced. */
  renew(): void;
  end(): void;
}

/** Milliseconds between two tries: at first, and at most. */
const SHORTEST = 300;
const LONGEST = 5_000;
/** Milliseconds until a socket has to have said hello. */
const PATIENCE = 5_000;
/**
 * A socket that was silent for so many looks is dead. They are counted, not the time: a page that
 * was frozen reads what came meanwhile before its second look.
 */
const SILENT_LOOKS = 5;
const LOOKING_PERIOD = BEAT_PERIOD / 2;

export function openLink(parts: LinkParts): Link {
  const { device, origin } = parts;
  let { isIn } = parts;
  let socket: Socket | null = null;
  let isUp = false;
  let isTrying = false;
  let isOver = false;
  let failures = 0;
  let silentLooks = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function tryNow(): Promise<void> {
    if (isOver || isTrying || socket !== null) return;
    clearTimeout(timer);
    isTrying = true;
    const outcome = isIn ? 'in' : await signIn(device).catch(() => 'unreachable' as const);
    isTrying = false;
    if (isOver) return;
    if (outcome === 'unpaired') return unpaired();
    isIn = outcome === 'in';
    if (isIn) open();
    else later();
  }

  function open(): void {
    const opened = openSocket(origin, device, {
      greeted({ protocol }) {
        clearTimeout(timer);
        if (protocol !== PAGE_PROTOCOL) {
          drop();
          later();
          return parts.otherProtocol();
        }
        isUp = true;
        silentLooks = 0;
        parts.up();
      },
      message(message) {
        silentLooks = 0;
        if (message.type === 'beat') return;
        // Only now it is sure that the signer takes what this page says.
        failures = 0;
        parts.message(message);
      },
      closed(code) {
        // Without a hello it may have been the session that was refused: a browser does not say.
        if (!isUp || code === closeCodes.breach) isIn = false;
        drop();
        if (code === closeCodes.unpaired) unpaired();
        else later();
      },
    });
    socket = opened;
    timer = setTimeout(() => {
      isIn = false;
      drop();
      later();
    }, PATIENCE);
  }

  function drop(): void {
    clearTimeout(timer);
    if (isOver) clearInterval(looking);
    socket?.close();
    socket = null;
    isUp = false;
  }

  function later(): void {
    parts.lost();
    const longest = Math.min(LONGEST, SHORTEST * 2 ** failures);
    failures += 1;
    timer = setTimeout(() => void tryNow(), longest * (0.5 + Math.random() / 2));
  }

  function unpaired(): void {
    isOver = true;
    drop();
    parts.unpaired();
  }

  function renew(): void {
    if (!isUp || isOver) return;
    drop();
    parts.lost();
    void tryNow();
  }

  const looking = setInterval(() => {
    silentLooks += 1;
    if (silentLooks >= SILENT_LOOKS) renew();
  }, LOOKING_PERIOD);

  void tryNow();
  return {
    send(message) {
      if (isUp) socket?.send(message);
    },
    hurry() {
      if (isUp) return;
      failures = 0;
      void tryNow();
    },
    renew,
    end() {
      isOver = true;
      drop();
    },
  };
}
