import { describe, expect, test } from 'vitest';
import { closeInterrupted, identityOf, startProcess } from '../../adapters/event-log/processes.ts';
import { comparable, fold } from '../../adapters/event-log/replay.ts';
import type { EventLog } from '../../adapters/event-log/store.ts';
import { startChild } from '../support/event-log-child.ts';
import { contentOf, logFile, openLog } from '../support/event-log-directory.ts';
import { brewMachine } from '../support/event-log-machine.ts';

const typesOf = (log: EventLog, stream: string) =>
  contentOf(log.read(stream)).map(({ type }) => type);

/** As `process.started` would have been recorded by a process with this identity. */
function recordProcess(log: EventLog, id: string, identity: object): void {
  const data = { program: 'test', ...identity };
  log.append(`process/${id}`, 0, [{ type: 'process.started', data }]);
  log.append(`brew/${id}`, 0, [
    { type: 'xstate.init', data: { input: { cups: 1 }, meta: { process: id } } },
  ]);
}

describe('at the start of a program', () => {
  test('what a killed process left is closed, what living ones have open is not', async () => {
    const file = logFile();
    const log = openLog(file);
    const killed = startChild('event-log-program.ts', [file, 'brew/1', 'brew/2']);
    const living = startChild('event-log-program.ts', [file, 'brew/3']);
    await Promise.all([killed.printed(1), living.printed(1)]);
    const before = comparable(fold(brewMachine, log.read('brew/1')));

    expect(closeInterrupted(log)).toEqual([]);
    killed.process.kill('SIGKILL');
    await killed.ended;
    expect(closeInterrupted(log)).toEqual(['brew/1', 'brew/2']);
    expect(closeInterrupted(log)).toEqual([]);

    expect(typesOf(log, 'brew/1')).toEqual(['xstate.init', 'app.interrupted']);
    expect(typesOf(log, 'brew/2')).toEqual(['xstate.init', 'app.interrupted']);
    expect(typesOf(log, killed.lines[0] ?? '')).toEqual(['process.started', 'app.interrupted']);
    expect(comparable(fold(brewMachine, log.read('brew/1')))).toEqual(before);
    expect(typesOf(log, 'brew/3')).toEqual(['xstate.init']);

    living.process.stdin?.end();
    expect(await living.ended).toBe(0);
    expect(living.lines[1]).toBe('ended');
    expect(typesOf(log, 'brew/3')).toEqual(['xstate.init', 'app.stopped']);
    expect(typesOf(log, living.lines[0] ?? '')).toEqual(['process.started', 'process.ended']);
    expect(closeInterrupted(log)).toEqual([]);
  });

  test('streams that ended before their process was killed get no second end', () => {
    const log = openLog();
    recordProcess(log, 'a', { ...identityOf(process.pid), startTime: 'long ago' });
    log.append('brew/a', 1, [{ type: 'app.finished', data: { status: 'done' } }]);
    log.append('brew/b', 0, [
      { type: 'xstate.init', data: { meta: { process: 'a' } } },
      { type: 'app.stopped' },
    ]);
    expect(closeInterrupted(log)).toEqual([]);
    expect(typesOf(log, 'process/a')).toEqual(['process.started', 'app.interrupted']);
    expect(typesOf(log, 'brew/a')).toEqual(['xstate.init', 'app.finished']);
    expect(typesOf(log, 'brew/b')).toEqual(['xstate.init', 'app.stopped']);
  });

  test('a pid that now belongs to another process does not keep a stream open', () => {
    const log = openLog();
    recordProcess(log, 'a', { ...identityOf(process.pid), startTime: 'long ago' });
    expect(closeInterrupted(log)).toEqual(['brew/a']);
  });

  test('a process of before the machine restarted is gone', () => {
    const log = openLog();
    recordProcess(log, 'a', { ...identityOf(process.pid), boot: 'another' });
    expect(closeInterrupted(log)).toEqual(['brew/a']);
  });

  test('a process that cannot be seen from here keeps its streams', () => {
    const log = openLog();
    recordProcess(log, 'a', { ...identityOf(process.pid), namespace: 'another', startTime: '1' });
    expect(closeInterrupted(log)).toEqual([]);
    expect(typesOf(log, 'process/a')).toEqual(['process.started']);
  });

  test('this process and its streams stay as they are', () => {
    const log = openLog();
    const running = startProcess(log, { program: 'test' });
    const init = { type: 'xstate.init', data: { meta: { process: running.id } } };
    log.append('brew/a', 0, [init]);
    expect(closeInterrupted(log)).toEqual([]);
    expect(log.head()).toBe(2);
    running.end();
    running.end();
    expect(typesOf(log, running.stream)).toEqual(['process.started', 'process.ended']);
  });

  test('two programs that close the same streams at once close them once', () => {
    const file = logFile();
    const [log, other] = [openLog(file), openLog(file)];
    recordProcess(log, 'a', { ...identityOf(process.pid), startTime: 'long ago' });
    const overtaken: EventLog = {
      ...log,
      appendMany(appends) {
        expect(closeInterrupted(other)).toEqual(['brew/a']);
        return log.appendMany(appends);
      },
    };
    expect(closeInterrupted(overtaken)).toEqual([]);
    expect(typesOf(log, 'brew/a')).toEqual(['xstate.init', 'app.interrupted']);
  });
});
