/**
 * The connection overlay: what the headset shows from Connect until the shell, and after a failure.
 * It is drawn where the cursor is, on the terminal only, and is gone when the shell begins.
 */
import { styleText } from 'node:util';
import type { SnapshotFrom } from 'xstate';
import { failures } from '../../machines/failures.ts';
import type { connectionMachine } from '../../machines/headset/connection.machine.ts';
import { fold, rowsNow } from '../terminal/fold.ts';
import { showForeign } from '../terminal/foreign-text.ts';

export type ConnectionSnapshot = SnapshotFrom<typeof connectionMachine>;

export interface Overlay {
  update(snapshot: ConnectionSnapshot): void;
  /** A line of its own above the overlay. */
  say(text: string): void;
  clear(): void;
}

export const WAITING = 'Waiting for iPhone signer…';

export const ASLEEP = 'your phone is asleep: open the signer there';

export interface Progress {
  text: string;
  aside: string;
  /** Two digits that are on the phone's sheet too, or are to be typed there. */
  code: string | null;
}

/** What is going on, in a few words; `null` when there is nothing to show. */
export function progressOf(snapshot: ConnectionSnapshot): Progress | null {
  const { context } = snapshot;
  const host = showForeign(context.host, 80);
  if (snapshot.matches({ session: 'handshaking' })) {
    return { text: `Connecting to ${host}…`, aside: '', code: null };
  }
  if (snapshot.matches({ session: 'signed' })) {
    return { text: 'Signed. The server is checking…', aside: '', code: null };
  }
  const aside = asideOf(snapshot);
  if (aside === null) return null;
  const isWithPhone = context.request?.outstanding ?? false;
  return { text: WAITING, aside, code: isWithPhone ? (context.request?.code ?? null) : null };
}

/** What the waiting is for; `null`: nobody waits for the phone. */
function asideOf(snapshot: ConnectionSnapshot): string | null {
  const { context } = snapshot;
  if (snapshot.matches({ session: 'queued' })) return 'the phone shows another request first';
  if (!snapshot.matches({ session: 'awaitingSigner' })) return null;
  if (snapshot.matches({ session: { awaitingSigner: 'awaitingFaceId' } })) {
    return 'look at your phone';
  }
  if (snapshot.matches({ session: { awaitingSigner: 'challengeSent' } })) {
    return 'the request was sent';
  }
  if (snapshot.matches({ session: { awaitingSigner: 'phoneAsleep' } })) return ASLEEP;
  if (snapshot.matches({ session: { awaitingSigner: 'offering' } })) {
    return 'asking the server which key it accepts';
  }
  const offersNothing = context.phone !== null && context.identities.length === 0;
  return offersNothing ? 'the phone offers no identity' : 'looking for the phone';
}

/** The question about an unknown host key, as ssh words it. */
export function hostKeyQuestion({ context }: ConnectionSnapshot): string[] {
  const { hostKey, server, host } = context;
  const where = server === null || server.port === 22 ? '' : `:${server.port}`;
  return [
    `The authenticity of host '${showForeign(host, 80)}${where}' can't be established.`,
    `${showForeign(hostKey?.keyType ?? '')} key fingerprint is ${hostKey?.fingerprint ?? ''}.`,
    'Compare it with one from the server’s owner. Continue connecting (y/N)?',
  ];
}

export const isOver = ({ value }: ConnectionSnapshot) =>
  value === 'denied' || value === 'timedOut' || value === 'failed' || value === 'disconnected';

/** Redraws in place on a terminal, with the seconds left. `keys`: somebody can press Esc and r. */
export function createTerminalOverlay(output: NodeJS.WriteStream, keys: boolean): Overlay {
  let drawn: string[] = [];
  let shown: ConnectionSnapshot | null = null;
  let ticking: NodeJS.Timeout | undefined;
  const style = (format: Parameters<typeof styleText>[0], text: string) =>
    styleText(format, text, { stream: output });
  const key = (name: string, what: string) => `${style('inverse', ` ${name} `)} ${what}`;

  function lines(snapshot: ConnectionSnapshot): string[] {
    const { context } = snapshot;
    if (snapshot.matches({ session: 'confirmingHostKey' })) return hostKeyQuestion(snapshot);
    if (isOver(snapshot) && context.reason !== null) {
      const { message, hint } = failures[context.reason];
      const detail = context.detail === null ? '' : ` (${showForeign(context.detail, 120)})`;
      return [
        `${style(['red', 'bold'], `✖ ${message}`)}${detail}`,
        style('dim', `  ${hint}`),
        ...(keys ? [`  ${key('r', 'Reconnect')}  ${key('q', 'Quit')}`] : []),
      ];
    }
    const progress = progressOf(snapshot);
    if (progress === null) return [];
    const { deadline } = context;
    const left =
      progress.text === WAITING && deadline !== null
        ? ` ${Math.max(0, Math.ceil((deadline - performance.now()) / 1000))} s`
        : '';
    const code = progress.code === null ? '' : `code ${progress.code}`;
    const asides = [progress.aside, code, keys ? key('Esc', 'Cancel') : ''];
    const aside = asides.filter(Boolean).join(' · ');
    return [`${style(['cyan', 'bold'], progress.text)}${left}`, style('dim', `  ${aside}`)];
  }

  function erase(): void {
    if (drawn.length > 0) output.write(`\r\x1b[${rowsNow(drawn, output.columns)}F\x1b[J`);
    drawn = [];
  }

  function draw(): void {
    if (shown === null) return;
    const text = lines(shown).flatMap((line) => fold(line, output.columns));
    erase();
    if (text.length === 0) return;
    output.write(`${text.join('\r\n')}\r\n`);
    drawn = text;
  }

  return {
    update(snapshot) {
      shown = snapshot;
      clearInterval(ticking);
      if (progressOf(snapshot) !== null) ticking = setInterval(draw, 500).unref();
      draw();
    },
    say(text) {
      erase();
      output.write(`${text.replaceAll('\n', '\r\n')}\r\n`);
      draw();
    },
    clear() {
      clearInterval(ticking);
      erase();
      shown = null;
    },
  };
}

/** One plain line for each thing that is new: for pipes and screen readers. */
export function createPlainOverlay(output: NodeJS.WriteStream): Overlay {
  let last = '';
  const write = (text: string) => {
    if (text !== last) output.write(`${text}\n`);
    last = text;
  };
  return {
    update(snapshot) {
      const { context } = snapshot;
      const code = progressOf(snapshot)?.code ?? null;
      if (snapshot.matches({ session: 'queued' })) {
        write(`${WAITING} (the phone shows another request first)`);
      } else if (snapshot.matches({ session: { awaitingSigner: 'phoneAsleep' } })) {
        write(`${WAITING} (${ASLEEP})`);
      } else if (code !== null) {
        write(`${WAITING} code ${code}`);
      } else if (snapshot.matches({ session: 'awaitingSigner' })) {
        write(`${WAITING} (${Math.round(context.signerTimeout / 1000)} s)`);
      } else if (isOver(snapshot) && context.reason !== null) {
        const { message, hint } = failures[context.reason];
        const detail = context.detail === null ? '' : ` (${showForeign(context.detail, 160)})`;
        write(`vmux: ${message}${detail}\nhint: ${hint}`);
      }
    },
    say: (text) => void output.write(`${text}\n`),
    clear: () => {},
  };
}
