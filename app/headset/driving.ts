/** Connections that the inspector's page asks for: the same as `vmux connect`, in this terminal. */
import type { EventLog } from '../../adapters/event-log/store.ts';
import { Conflict, type DrivingPort } from '../inspector/driving-port.ts';
import type { DriveCommand, Driving } from '../inspector/protocol.ts';
import { asTrouble, failureLines } from '../command-line.ts';
import { begin, type Running } from '../running.ts';
import { showForeign } from '../terminal/foreign-text.ts';
import { watchLog } from '../watch-log.ts';
import { connect, shellOn } from './commands/connect.ts';
import type { ConnectionControl } from './connect-in-terminal.ts';
import { isOver } from './overlay.ts';
import { savedHosts, type SavedHost } from './records.ts';

export interface HeadsetDriving extends DrivingPort {
  /** Gives up what is going on; resolves when the terminal is free. */
  close(): Promise<void>;
}

interface Driven {
  host: SavedHost;
  control: ConnectionControl;
  /** Resolves when the connection has given the terminal back. */
  done: Promise<void>;
  hasEnded: boolean;
}

/** `say`: a line for the person at this terminal. */
export function createDriving(log: EventLog, say: (line: string) => void): HeadsetDriving {
  const listeners = new Set<() => void>();
  let driven: Driven | null = null;
  let starting: Promise<void> | null = null;
  let isClosed = false;
  let hosts = savedForPhone(log);
  const changed = () => {
    for (const listener of listeners) listener();
  };
  const lookAgain = () => {
    const now = savedForPhone(log);
    if (JSON.stringify(now) === JSON.stringify(hosts)) return;
    hosts = now;
    changed();
  };
  /** Only while somebody looks. */
  let stopWatching: (() => void) | null = null;

  function start(host: SavedHost): Promise<void> {
    const begun = open(host).finally(() => {
      starting = null;
      changed();
    });
    starting = begun;
    return begun;
  }

  async function open(host: SavedHost): Promise<void> {
    await leave();
    say(`the page asks for ${showForeign(host.name, 80)}; its shell opens here`);
    const running = beginDriven();
    const control = Promise.withResolvers<ConnectionControl>();
    const ended = connect(running, shellOn(host), control.resolve);
    ended.catch(control.reject);
    const connection = await control.promise;
    const run: Driven = { host, control: connection, hasEnded: false, done: over(ended) };
    driven = run;
    connection.connection.actor.subscribe(changed);
    void run.done.then(() => {
      run.hasEnded = true;
      if (!isClosed) say('the inspector goes on; Ctrl-C ends it');
      changed();
    });
  }

  /** A connection that only waits for the person to quit gives the terminal to the next. */
  async function leave(): Promise<void> {
    if (driven === null || driven.hasEnded) return;
    if (!isOver(driven.control.connection.actor.getSnapshot())) {
      throw new Conflict('a connection is open: end it first, in the terminal or by Cancel');
    }
    driven.control.end();
    await driven.done;
  }

  async function reconnect(): Promise<void> {
    if (driven === null) throw new Conflict('there is no connection to open again');
    if (driven.hasEnded) return start(driven.host);
    if (!driven.control.connection.deliver({ type: 'user.reconnect' }))
      throw new Conflict('the connection has ended');
  }

  function cancel(): void {
    if (!can(driven).includes('cancel')) throw new Conflict('there is nothing to cancel');
    driven?.control.connection.deliver({ type: 'user.cancel' });
  }

  return {
    state(): Driving {
      if (stopWatching === null) lookAgain();
      const stream = driven?.control.connection.stream;
      return {
        hosts: hosts.map(({ name }) => name),
        connection:
          driven === null || stream === undefined
            ? null
            : { host: driven.host.name, stream, can: can(driven) },
      };
    },
    async drive(command: DriveCommand) {
      if (isClosed) throw new Conflict('the inspector is ending');
      if (starting !== null) throw new Conflict('a connection is being opened');
      if (command.do === 'cancel') return cancel();
      if (command.do === 'reconnect') {
        if (!can(driven).includes('reconnect')) throw new Conflict('there is nothing to reconnect');
        return reconnect();
      }
      const host = hosts.find(({ name }) => name === command.host);
      if (host === undefined) throw new Conflict('no host of that name is saved');
      return start(host);
    },
    onChange(listener) {
      listeners.add(listener);
      stopWatching ??= watchLog(log, lookAgain);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        stopWatching?.();
        stopWatching = null;
      };
    },
    async close() {
      isClosed = true;
      stopWatching?.();
      await starting?.catch(() => {});
      driven?.control.end();
      await driven?.done;
    },
  };
}

/** The saved hosts whose logins the phone approves. */
const savedForPhone = (log: EventLog) =>
  savedHosts(log).filter(({ authentication }) => authentication === 'remote-signer');

/** @throws {Conflict} in the words of what went wrong */
function beginDriven(): Running {
  try {
    return begin('vmux');
  } catch (error) {
    const trouble = asTrouble(error);
    if (trouble === null) throw error;
    throw new Conflict(failureLines(trouble.reason, trouble.detail)[0] ?? '');
  }
}

/** Its end is told in the terminal by itself. */
const over = (ended: Promise<unknown>) =>
  ended.then(
    () => {},
    () => {},
  );

/** Once the shell is open, it ends where it is. */
function can(driven: Driven | null): ('cancel' | 'reconnect')[] {
  if (driven === null) return [];
  const snapshot = driven.control.connection.actor.getSnapshot();
  if (driven.hasEnded || isOver(snapshot)) return ['reconnect'];
  return snapshot.matches({ session: 'connected' }) ? [] : ['cancel'];
}
