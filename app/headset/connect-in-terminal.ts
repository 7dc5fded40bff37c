/** Connect, at a terminal or in a pipe: overlay, keys, shell, and the exit status. */
import { constants } from 'node:os';
import type { Asked } from '../../adapters/ssh/ask-openssh.ts';
import { createRequestVault } from '../../adapters/ssh/request-vault.ts';
import type { SessionOptions } from '../../adapters/ssh/session.ts';
import { failureLines } from '../command-line.ts';
import { deviceIdentity } from '../device-identity.ts';
import type { Running } from '../running.ts';
import { showForeign } from '../terminal/foreign-text.ts';
import type { ConnectChoices } from './commands/connect.ts';
import { startConnection, type Connection } from './connection.ts';
import { readKeys } from './keys.ts';
import {
  createPlainOverlay,
  createTerminalOverlay,
  hostKeyQuestion,
  isOver,
  type ConnectionSnapshot,
} from './overlay.ts';
import { startPhoneLink } from './phone-link.ts';
import { createQuestion } from './question.ts';

/** As `ssh`: what failed was the connection, not the remote command. */
const CONNECTION_FAILED = 255;
const SIGNAL_BASE = 128;

/** The connection, for somebody beside the person at the terminal. */
export interface ConnectionControl {
  connection: Connection;
  /** Gives it up, as Ctrl-C does. */
  end(): void;
}

/** `started` gets the connection before it is asked to connect. Resolves with the exit status. */
export async function connectInTerminal(
  running: Running,
  choices: ConnectChoices,
  asked: Asked,
  started: (control: ConnectionControl) => void = () => {},
): Promise<number> {
  const { stdin, stderr } = process;
  const vault = createRequestVault();
  const identity = await deviceIdentity(running.home);
  const phoneLink = startPhoneLink({ running, identity, vault, given: choices.phone });

  const interactive = choices.command === null && stdin.isTTY && stderr.isTTY && !choices.plain;
  const plain = createPlainOverlay(stderr);
  const overlay =
    stderr.isTTY && !choices.plain ? createTerminalOverlay(stderr, stdin.isTTY) : plain;

  const connection = startConnection({
    running,
    phoneLink,
    vault,
    target: choices.target,
    asked,
    signerTimeout: choices.signerTimeout,
    openSession: () => {
      keys.release();
      overlay.clear();
      return sessionFor(choices);
    },
    onBanner: (text) => overlay.say(showBanner(text)),
  });
  const act = (type: UserEvent['type']) => connection.deliver({ type });

  const question = createQuestion(() => performance.now());
  const keys = readKeys(stdin, (key) => {
    const snapshot = connection.actor.getSnapshot();
    if (key === 'interrupt') return end(SIGNAL_BASE + constants.signals.SIGINT);
    if (snapshot.matches({ session: 'confirmingHostKey' })) {
      if (key === 'y' || key === 'Y') {
        if (question.takesYes()) act('user.acceptHostKey');
      } else if (key !== 'other') act('user.rejectHostKey');
    } else if (snapshot.matches('session')) {
      if (key === 'escape') act('user.cancel');
    } else if (key === 'r') act('user.reconnect');
    else if (key === 'q' || key === 'escape' || key === 'enter') end(CONNECTION_FAILED);
  });

  const ended = Promise.withResolvers<number>();
  const end = (status: number) => ended.resolve(status);

  let last: unknown;
  connection.actor.subscribe((snapshot) => {
    const { value, context } = snapshot;
    if (JSON.stringify(value) === last && snapshot.matches({ session: 'connected' })) return;
    last = JSON.stringify(value);
    if (question.begins(snapshot.matches({ session: 'confirmingHostKey' }))) {
      decideUnasked(snapshot);
    }
    if (!snapshot.matches({ session: 'connected' })) overlay.update(snapshot);
    if (snapshot.matches('session') || value === 'idle') return;
    const status = exitStatus(snapshot);
    if (value === 'disconnected' && context.reason === null) return end(status);
    if (context.reason === 'cancelled' || !interactive) return end(status);
    keys.resume();
  });

  function decideUnasked(snapshot: ConnectionSnapshot): void {
    const { hostKey } = snapshot.context;
    if (choices.acceptNewHostKey) {
      overlay.say(`vmux: taking the new host key ${hostKey?.fingerprint ?? ''}`);
      queueMicrotask(() => act('user.acceptHostKey'));
    } else if (!stdin.isTTY || !stderr.isTTY) {
      overlay.say(
        `vmux: unknown host key ${hostKey?.fingerprint ?? ''}, and no terminal to ask at`,
      );
      queueMicrotask(() => act('user.rejectHostKey'));
    } else if (choices.plain) overlay.say(hostKeyQuestion(snapshot).join('\n'));
  }

  const onSignal = (signal: NodeJS.Signals) => end(SIGNAL_BASE + constants.signals[signal]);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  void running.halted.then((error) => {
    overlay.clear();
    stderr.write(`vmux: ${failureLines('logUnavailable', error.message).join('\n')}\n`);
    end(CONNECTION_FAILED);
  });

  started({ connection, end: () => end(SIGNAL_BASE + constants.signals.SIGTERM) });
  act('user.connect');
  const status = await ended.promise;

  if (connection.actor.getSnapshot().matches('session')) act('user.cancel');
  overlay.clear();
  keys.release();
  if (stdin.isTTY) stdin.setRawMode(false);
  // What failed stays readable, with its hint, after the overlay is gone.
  const final = connection.actor.getSnapshot();
  if (isOver(final) && final.context.reason !== 'cancelled') plain.update(final);
  await phoneLink.close();
  for (const signal of signals) process.off(signal, onSignal);
  stdin.unref?.();
  return status;
}

type UserEvent = Extract<Parameters<Connection['deliver']>[0], { type: `user.${string}` }>;

function sessionFor({ command, terminal, saved }: ConnectChoices): SessionOptions {
  const { stdin, stdout, stderr } = process;
  const streams = { command, stdin, stdout, stderr };
  const wantsTerminal = stdin.isTTY && (command === null || terminal);
  if (!wantsTerminal) return { ...streams, terminal: null };
  stdin.setRawMode(true);
  const size = () => ({ columns: stdout.columns ?? 80, rows: stdout.rows ?? 24 });
  return {
    ...streams,
    terminal: {
      ...size(),
      term: saved?.term ?? process.env['TERM'] ?? 'xterm-256color',
      onResize(changed) {
        const report = () => changed(size());
        stdout.on('resize', report);
        return () => stdout.off('resize', report);
      },
    },
  };
}

/** As `ssh` gives it; a remote signal is named on stderr. */
function exitStatus({ context }: ConnectionSnapshot): number {
  const { exit } = context;
  if (exit?.signal) {
    const name = exit.signal.startsWith('SIG') ? exit.signal : `SIG${exit.signal}`;
    process.stderr.write(`vmux: the remote command was ended by ${showForeign(name)}\r\n`);
    const number = constants.signals[name as NodeJS.Signals];
    return number === undefined ? CONNECTION_FAILED : SIGNAL_BASE + number;
  }
  return exit?.status ?? CONNECTION_FAILED;
}

function showBanner(text: string): string {
  return text
    .split(/\r?\n/)
    .slice(0, 40)
    .map((line) => showForeign(line, 200))
    .join('\n')
    .trimEnd();
}
