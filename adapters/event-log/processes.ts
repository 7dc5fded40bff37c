import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import type { Envelope } from './envelope.ts';
import { WrongExpectedVersion } from './errors.ts';
import { FINISHED, STOPPED } from './recorder.ts';
import type { Append, EventLog } from './store.ts';

export const PROCESS_STARTED = 'process.started';
export const PROCESS_ENDED = 'process.ended';
export const INTERRUPTED = 'app.interrupted';

/** What tells one process from every other that has, had or will have the same pid. */
export interface ProcessIdentity {
  pid: number;
  /** Opaque; differs when the pid was given to another process. */
  startTime: string | null;
  /** Opaque; differs after a restart of the machine. `null` where there is no such id. */
  boot: string | null;
  /** Linux pid namespace: pids of another one mean nothing here. `null` elsewhere. */
  namespace: string | null;
}

export interface RunningProcess {
  /** Goes into `meta.process` of each stream that this process records. */
  readonly id: string;
  readonly stream: string;
  /** Appends `process.ended`; when the program ends in good order, after its recorders stopped. */
  end(): void;
}

/** Appends `process.started` for this process to a stream of its own, `process/<uuid>`. */
export function startProcess(log: EventLog, about: { program: string }): RunningProcess {
  const id = randomUUID();
  const stream = `process/${id}`;
  const data = { program: about.program, ...identityOf(process.pid) };
  const version = log.append(stream, 0, [{ type: PROCESS_STARTED, data }]);
  return {
    id,
    stream,
    end() {
      log.append(stream, version, [{ id: `${id}/ended`, type: PROCESS_ENDED }]);
    },
  };
}

/**
 * Closes what processes left unfinished that are gone without `process.ended`: each of their
 * machine streams gets one `app.interrupted`, then the process's own.
 *
 * Returns the machine streams it closed. Streams of processes that are alive, or that cannot be
 * seen from here (another container), stay as they are. Safe to run in several processes at once.
 */
export function closeInterrupted(log: EventLog): string[] {
  const gone = new Map<string, Envelope>();
  for (const stream of log.streamsWithout('process/', [PROCESS_ENDED, INTERRUPTED])) {
    const [started] = log.read(stream);
    if (started && !isAlive(started.data as unknown as ProcessIdentity)) {
      gone.set(stream.slice('process/'.length), started);
    }
  }
  if (gone.size === 0) return [];

  const closed: string[] = [];
  const left = unfinishedStreams(log, gone);
  for (const [id, started] of gone) {
    const streams = left.get(id) ?? [];
    const appends = [...streams, { name: started.stream, version: started.version }].map(
      ({ name, version }): Append => ({
        stream: name,
        expectedVersion: version,
        events: [{ type: INTERRUPTED, data: { process: id } }],
      }),
    );
    try {
      log.appendMany(appends);
      closed.push(...streams.map(({ name }) => name));
    } catch (error) {
      // Another process that starts now was faster.
      if (!(error instanceof WrongExpectedVersion)) throw error;
    }
  }
  return closed;
}

interface StreamEnd {
  name: string;
  version: number;
}

/** One pass over the log from the first of these processes on. */
function unfinishedStreams(
  log: EventLog,
  processes: ReadonlyMap<string, Envelope>,
): Map<string, StreamEnd[]> {
  const from = Math.min(...[...processes.values()].map(({ seq }) => seq));
  const ownerOf = new Map<string, string>();
  const open = new Map<string, number>();
  for (const { stream, version, type, data } of log.readAll(from)) {
    if (version === 1) {
      const owner = processOf(data);
      if (owner !== null && processes.has(owner)) ownerOf.set(stream, owner);
    }
    if (!ownerOf.has(stream)) continue;
    if (type === FINISHED || type === STOPPED || type === INTERRUPTED) open.delete(stream);
    else open.set(stream, version);
  }
  const byProcess = new Map<string, StreamEnd[]>();
  for (const [name, version] of open) {
    const owner = ownerOf.get(name) ?? '';
    byProcess.set(owner, [...(byProcess.get(owner) ?? []), { name, version }]);
  }
  return byProcess;
}

function processOf(data: Envelope['data']): string | null {
  const meta = data !== null && typeof data === 'object' && 'meta' in data ? data['meta'] : null;
  if (meta === null || typeof meta !== 'object' || Array.isArray(meta)) return null;
  return typeof meta?.['process'] === 'string' ? meta['process'] : null;
}

/** The identity of a process that is alive. */
export function identityOf(pid: number): ProcessIdentity {
  return {
    pid,
    startTime: startTimeOf(pid),
    boot: contentOf('/proc/sys/kernel/random/boot_id'),
    namespace: namespaceOfThisProcess(),
  };
}

function isAlive(recorded: ProcessIdentity): boolean {
  const now = identityOf(recorded.pid);
  if (recorded.boot !== now.boot) return false;
  if (recorded.namespace !== now.namespace) return true;
  if (!answersSignals(recorded.pid)) return false;
  const { startTime } = recorded;
  return startTime === null || now.startTime === null || startTime === now.startTime;
}

function answersSignals(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Field 22 of proc_pid_stat(5), counted from behind the name, which may hold anything. */
function startTimeOf(pid: number): string | null {
  if (process.platform === 'linux') {
    const stat = contentOf(`/proc/${pid}/stat`);
    return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  }
  const ps = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    env: { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' },
  });
  return ps.status === 0 ? ps.stdout.trim() : null;
}

function contentOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return null;
  }
}

function namespaceOfThisProcess(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return null;
  }
}
