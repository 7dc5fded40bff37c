import { fromCallback, fromPromise, setup, SimulatedClock, spawnChild } from 'xstate';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { LogUnavailable, UnrecordableEvent } from '../../adapters/event-log/errors.ts';
import { createRecorderGroup } from '../../adapters/event-log/recorder-group.ts';
import { startRecorded } from '../../adapters/event-log/recorder.ts';
import { comparable, fold, frames } from '../../adapters/event-log/replay.ts';
import type { EventLog } from '../../adapters/event-log/store.ts';
import { contentOf, errorOf, openLog } from '../support/event-log-directory.ts';
import { brewMachine, type BrewEvent } from '../support/event-log-machine.ts';

type Boil = () => Promise<{ celsius: number } | undefined>;

/** A recorded machine in a world that the test controls, and all that it does to that world. */
function world(options: { log?: EventLog; boil?: Boil; onPumpStart?: () => void } = {}) {
  const log = options.log ?? openLog();
  const clock = new SimulatedClock();
  const effects: string[] = [];
  const halts: Error[] = [];
  let pump: ((event: BrewEvent) => void) | null = null;
  const machine = brewMachine.provide({
    actions: { effect: (_, { name }) => void effects.push(name) },
    actors: {
      boil: fromPromise(options.boil ?? (async () => ({ celsius: 100 }))),
      pump: fromCallback(({ receive, sendBack }) => {
        effects.push('pump on');
        pump = sendBack;
        receive(({ type }) => {
          effects.push(type);
          options.onPumpStart?.();
        });
        return () => void effects.push('pump off');
      }),
    },
  });
  const group = createRecorderGroup((error) => void halts.push(error));
  const start = (stream = 'brew/1') =>
    startRecorded(machine, {
      input: { cups: 2 },
      log,
      stream,
      group,
      clock,
      meta: { process: 'p' },
    });
  return { log, clock, effects, halts, group, start, pump: (event: BrewEvent) => pump?.(event) };
}

/** The log on a disk that is full when the test says so, after `left` more appends. */
function filling(log: EventLog) {
  let room = Infinity;
  const failing: EventLog = {
    ...log,
    append(...args) {
      if (--room < 0) throw new LogUnavailable('disk full');
      return log.append(...args);
    },
  };
  return { log: failing, fill: (left = 0) => void (room = left) };
}

function expectFoldEqualsLive(
  log: EventLog,
  recorded: ReturnType<ReturnType<typeof world>['start']>,
) {
  const live = comparable(recorded.actor.getSnapshot());
  expect(comparable(fold(brewMachine, log.read(recorded.stream)))).toStrictEqual(live);
}

const typesOf = (log: EventLog, stream = 'brew/1') =>
  contentOf(log.read(stream)).map(({ type }) => type);

describe('a recorded machine', () => {
  test('may have events of its own that begin with app.', () => {
    const log = openLog();
    const switchMachine = setup({ types: { events: {} as { type: 'app.started' } } }).createMachine(
      { initial: 'off', states: { off: { on: { 'app.started': 'on' } }, on: {} } },
    );
    const recorded = startRecorded(switchMachine, {
      input: undefined,
      log,
      stream: 'switch/1',
      group: createRecorderGroup(() => {}),
    });
    expect(recorded.deliver({ type: 'app.started' })).toBe(true);
    expect(fold(switchMachine, log.read('switch/1')).value).toBe('on');
    recorded.stop();
  });

  test('has every event in the log, and its fold is its live state after each', async () => {
    const { log, clock, effects, halts, start, pump } = world();
    const recorded = start();
    expectFoldEqualsLive(log, recorded);
    expect(recorded.deliver({ type: 'user.brew', strength: 'strong' })).toBe(true);
    expectFoldEqualsLive(log, recorded);
    pump({ type: 'pump.ran', at: 1.5, millilitres: 120 });
    pump({ type: 'pump.ran', at: 2, millilitres: undefined });
    expectFoldEqualsLive(log, recorded);
    pump({ type: 'pump.ran', at: 2.5, millilitres: 90 });
    clock.increment(50);
    expectFoldEqualsLive(log, recorded);
    await vi.waitFor(() => expect(recorded.actor.getSnapshot().value).toBe('cooling'));
    expectFoldEqualsLive(log, recorded);
    clock.increment(200);
    expectFoldEqualsLive(log, recorded);

    expect(contentOf(log.read('brew/1'))).toEqual([
      { type: 'xstate.init', data: { input: { cups: 2 }, meta: { process: 'p' } } },
      { type: 'user.brew', data: { strength: 'strong' } },
      { type: 'pump.ran', data: { at: 1.5, millilitres: 120 } },
      { type: 'pump.ran', data: { at: 2 } },
      { type: 'pump.ran', data: { at: 2.5, millilitres: 90 } },
      { type: 'tick.came', data: {} },
      { type: 'xstate.done.actor.boil', data: { output: { celsius: 100 }, actorId: 'boil' } },
      { type: 'xstate.after.cooling.brew.cooling', data: {} },
      { type: 'app.finished', data: { status: 'done' } },
    ]);
    expect(recorded.actor.getSnapshot()).toMatchObject({
      status: 'done',
      output: { cups: 2, ticks: 2 },
    });
    expect(effects).toEqual([
      'pump on',
      'brew',
      'grind',
      'pump.start',
      'boiled',
      'cooled',
      'pump off',
    ]);
    expect(halts).toEqual([]);
  });

  test('gets an error as a plain object with name and message, and so does its fold', async () => {
    const { log, start, pump } = world({ boil: () => Promise.reject(new TypeError('no gas')) });
    const recorded = start();
    recorded.deliver({ type: 'user.brew', strength: 'weak' });
    pump({ type: 'pump.ran', at: 1, millilitres: 500 });
    await vi.waitFor(() => expect(recorded.actor.getSnapshot().value).toBe('broken'));
    expect(recorded.actor.getSnapshot().context.trouble).toStrictEqual({
      name: 'TypeError',
      message: 'no gas',
    });
    expectFoldEqualsLive(log, recorded);
  });

  test('has events in the log before it acts on them', () => {
    const log = openLog();
    const seen: string[][] = [];
    const { start } = world({ log, onPumpStart: () => void seen.push(typesOf(log)) });
    start().deliver({ type: 'user.brew', strength: 'strong' });
    expect(seen).toEqual([['xstate.init', 'user.brew']]);
  });

  test('that is stopped ends its stream, and a stopped one takes nothing', () => {
    const { log, effects, start } = world();
    const recorded = start();
    recorded.stop();
    recorded.stop();
    expect(recorded.deliver({ type: 'user.abort' })).toBe(false);
    expect(typesOf(log)).toEqual(['xstate.init', 'app.stopped']);
    expect(effects).toEqual(['pump on', 'pump off']);
    expectFoldEqualsLive(log, recorded);
  });

  test('that has ended takes nothing and gets no second end', () => {
    const { log, start } = world();
    const recorded = start();
    expect(recorded.deliver({ type: 'user.abort' })).toBe(true);
    expect(recorded.deliver({ type: 'user.abort' })).toBe(false);
    recorded.stop();
    expect(typesOf(log)).toEqual(['xstate.init', 'user.abort', 'app.finished']);
  });

  test('cannot be started into a stream that exists', () => {
    const { log, start, halts, effects } = world();
    log.append('brew/1', 0, [{ type: 'xstate.init' }]);
    expect(errorOf(() => start()).name).toBe('WrongExpectedVersion');
    expect(halts).toHaveLength(1);
    expect(effects).toEqual([]);
  });

  test('replays step by step', () => {
    const { log, start } = world();
    const recorded = start();
    recorded.deliver({ type: 'user.brew', strength: 'strong' });
    recorded.deliver({ type: 'user.abort' });
    const steps = [...frames(brewMachine, log.read('brew/1'))];
    expect(steps.map(({ event, snapshot }) => [event.type, snapshot.value])).toEqual([
      ['xstate.init', 'idle'],
      ['user.brew', 'pumping'],
      ['user.abort', 'aborted'],
    ]);
    expect(steps.map(({ envelope }) => envelope.version)).toEqual([1, 2, 3]);
  });
});

describe('the way in', () => {
  test.each([
    'xstate.done.actor.boil',
    'xstate.error.actor.boil',
    'xstate.after.cooling.brew.cooling',
    'xstate.stop',
    'xstate.init',
    'app.stopped',
    'unknown.event',
    '*',
  ])('refuses %s', (type) => {
    const { log, start, effects } = world();
    const recorded = start();
    expect(recorded.deliver({ type } as unknown as BrewEvent)).toBe(false);
    expect(typesOf(log)).toEqual(['xstate.init']);
    expect(effects).toEqual(['pump on']);
  });

  test('throws for an event that JSON cannot give back, and the machine goes on', () => {
    const { log, start, halts } = world();
    const recorded = start();
    const event = { type: 'user.brew', strength: new Map() } as unknown as BrewEvent;
    expect(errorOf(() => recorded.deliver(event))).toBeInstanceOf(UnrecordableEvent);
    expect(halts).toEqual([]);
    expect(recorded.deliver({ type: 'user.brew', strength: 'weak' })).toBe(true);
    expect(typesOf(log)).toEqual(['xstate.init', 'user.brew']);
  });
});

describe('when an event cannot be recorded', () => {
  test('the first one: nothing starts', () => {
    const disk = filling(openLog());
    const { start, effects, halts, group } = world({ log: disk.log });
    disk.fill();
    expect(errorOf(() => start())).toBeInstanceOf(LogUnavailable);
    expect(errorOf(() => start('brew/2'))).toBe(halts[0]);
    expect(group.halted).toBe(halts[0]);
    expect(effects).toEqual([]);
  });

  test('one from outside: it is not processed and all machines of the group stop', () => {
    const disk = filling(openLog());
    const { start, effects, halts } = world({ log: disk.log });
    const [one, two] = [start('brew/1'), start('brew/2')];
    disk.fill();
    expect(one.deliver({ type: 'user.brew', strength: 'strong' })).toBe(false);
    expect(halts.map(({ name }) => name)).toEqual(['LogUnavailable']);
    for (const { actor } of [one, two]) {
      expect(actor.getSnapshot()).toMatchObject({ status: 'stopped', value: 'idle' });
    }
    expect(effects).toEqual(['pump on', 'pump on', 'pump off', 'pump off']);
    expect(two.deliver({ type: 'user.abort' })).toBe(false);
    expect(typesOf(disk.log, 'brew/2')).toEqual(['xstate.init']);
  });

  test('one sent straight to the actor: the same', () => {
    const disk = filling(openLog());
    const { start, effects, halts } = world({ log: disk.log });
    const { actor } = start();
    disk.fill();
    actor.send({ type: 'user.brew', strength: 'strong' });
    expect(halts).toHaveLength(1);
    expect(effects).toEqual(['pump on', 'pump off']);
  });

  test('a done event: the same', async () => {
    const disk = filling(openLog());
    const boiling = Promise.withResolvers<undefined>();
    const boil = () => boiling.promise;
    const { start, pump, effects, halts } = world({ log: disk.log, boil });
    const recorded = start();
    recorded.deliver({ type: 'user.brew', strength: 'strong' });
    pump({ type: 'pump.ran', at: 1, millilitres: 200 });
    disk.fill();
    boiling.resolve(undefined);
    await vi.waitFor(() => expect(halts).toHaveLength(1));
    expect(recorded.actor.getSnapshot()).toMatchObject({ status: 'stopped', value: 'boiling' });
    expect(effects).toEqual(['pump on', 'brew', 'grind', 'pump.start', 'pump off']);
  });

  test('an after event: the same', async () => {
    const disk = filling(openLog());
    const { start, pump, clock, effects, halts } = world({ log: disk.log });
    const recorded = start();
    const poured = vi.fn<() => void>();
    recorded.actor.on('poured', poured);
    recorded.deliver({ type: 'user.brew', strength: 'strong' });
    pump({ type: 'pump.ran', at: 1, millilitres: 200 });
    await vi.waitFor(() => expect(recorded.actor.getSnapshot().value).toBe('cooling'));
    clock.increment(50);
    disk.fill();
    clock.increment(150);
    expect(halts).toHaveLength(1);
    expect(recorded.actor.getSnapshot()).toMatchObject({ status: 'stopped', value: 'cooling' });
    expect(effects).toEqual(['pump on', 'brew', 'grind', 'pump.start', 'boiled', 'pump off']);
    expect(poured).not.toHaveBeenCalled();
  });

  test('a delayed raise: the same', () => {
    const disk = filling(openLog());
    const { start, pump, clock, halts } = world({
      log: disk.log,
      boil: () => new Promise<undefined>(() => {}),
    });
    const recorded = start();
    recorded.deliver({ type: 'user.brew', strength: 'strong' });
    pump({ type: 'pump.ran', at: 1, millilitres: 200 });
    disk.fill();
    clock.increment(50);
    expect(halts).toHaveLength(1);
    expect(recorded.actor.getSnapshot()).toMatchObject({
      status: 'stopped',
      context: { ticks: 1 },
    });
  });

  test('the mark of the end: what that step had yet to send is not sent', async () => {
    const disk = filling(openLog());
    const { start, pump, clock, halts, effects } = world({ log: disk.log });
    const recorded = start();
    const poured = vi.fn<() => void>();
    recorded.actor.on('poured', poured);
    recorded.deliver({ type: 'user.brew', strength: 'strong' });
    pump({ type: 'pump.ran', at: 1, millilitres: 200 });
    await vi.waitFor(() => expect(recorded.actor.getSnapshot().value).toBe('cooling'));
    clock.increment(50);
    disk.fill(1);
    clock.increment(150);
    expect(halts).toHaveLength(1);
    expect(poured).not.toHaveBeenCalled();
    expect(effects.at(-1)).toBe('pump off');
    expect(typesOf(disk.log).at(-1)).toBe('xstate.after.cooling.brew.cooling');
  });

  test('the stop of a machine: it stops, and the others too', () => {
    const disk = filling(openLog());
    const { start, halts } = world({ log: disk.log });
    const [one, two] = [start('brew/1'), start('brew/2')];
    disk.fill();
    one.stop();
    expect(halts).toHaveLength(1);
    expect([one, two].map(({ actor }) => actor.getSnapshot().status)).toEqual([
      'stopped',
      'stopped',
    ]);
  });

  test('in the middle of another machine’s step: the rest of that step does not run', () => {
    const { log, effects, halts } = world();
    const group = createRecorderGroup((error) => void halts.push(error));
    const unwritable = new LogUnavailable('another machine could not record');
    const machine = brewMachine.provide({
      actions: {
        effect: (_, { name }) => {
          effects.push(name);
          group.halt(unwritable);
        },
      },
      actors: { pump: fromCallback(({ receive }) => receive(() => void effects.push('sent'))) },
    });
    const input = { cups: 1 };
    const { actor, deliver } = startRecorded(machine, { input, log, stream: 'brew/1', group });
    deliver({ type: 'user.brew', strength: 'strong' });
    expect(halts).toEqual([unwritable]);
    expect(actor.getSnapshot().status).toBe('stopped');
    expect(effects).toEqual(['brew']);
  });

  test('while a machine starts: what it had yet to start does not start', () => {
    const log = openLog();
    const group = createRecorderGroup(() => {});
    const started: string[] = [];
    const machine = setup({
      actors: {
        first: fromCallback(() => {
          started.push('first');
          group.halt(new LogUnavailable('another machine could not record'));
        }),
        second: fromCallback(() => void started.push('second')),
      },
      actions: { greet: () => void started.push('greeting') },
    }).createMachine({
      entry: 'greet',
      invoke: [
        { src: 'first', id: 'first' },
        { src: 'second', id: 'second' },
      ],
    });
    const { actor } = startRecorded(machine, { input: undefined, log, stream: 'm/1', group });
    expect(started).toEqual(['first']);
    expect(actor.getSnapshot().status).toBe('stopped');
  });

  test('and closing the links throws: everything stops before that is an uncaught exception', async () => {
    const uncaught = vi.fn<(error: Error) => void>();
    const others = process.rawListeners('uncaughtException');
    process.removeAllListeners('uncaughtException').once('uncaughtException', uncaught);
    onTestFinished(() => {
      for (const listener of others) process.on('uncaughtException', listener as () => void);
    });
    const stopped: string[] = [];
    const group = createRecorderGroup(() => {
      throw new Error('link would not close');
    });
    group.join(() => void stopped.push('one'));
    group.halt(new LogUnavailable('disk full'));
    expect(stopped).toEqual(['one']);
    await vi.waitFor(() => expect(uncaught).toHaveBeenCalledOnce());
    expect(uncaught.mock.calls[0]?.[0].message).toBe('link would not close');
  });

  test('because an actor has no id of its own: a bug, as its id differs from run to run', async () => {
    const log = openLog();
    const halts: Error[] = [];
    const machine = setup({ actors: { job: fromPromise(async () => 1) } }).createMachine({
      entry: spawnChild('job'),
    });
    const group = createRecorderGroup((error) => void halts.push(error));
    startRecorded(machine, { input: undefined, log, stream: 'm/1', group });
    await vi.waitFor(() => expect(halts).toHaveLength(1));
    expect(halts[0]).toBeInstanceOf(UnrecordableEvent);
    expect(typesOf(log, 'm/1')).toEqual(['xstate.init']);
  });

  test('because a chart threw: a bug, and its actors are stopped', () => {
    const { log, halts, effects } = world();
    const group = createRecorderGroup((error) => void halts.push(error));
    const machine = brewMachine.provide({
      guards: {
        full: () => {
          throw new Error('no gauge');
        },
      },
      actors: { pump: fromCallback(() => () => void effects.push('pump off')) },
    });
    const input = { cups: 1 };
    const { deliver } = startRecorded(machine, { input, log, stream: 'brew/1', group });
    deliver({ type: 'user.brew', strength: 'strong' });
    expect(halts.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^brew\/1: .*no gauge$/s),
    ]);
    expect(effects).toEqual(['pump off']);
  });

  test('because a port sent what JSON cannot give back: a bug, said by that name', () => {
    const { log, start, pump, halts } = world();
    const recorded = start();
    pump({ type: 'pump.ran', at: Number.NaN });
    expect(halts.map(String)).toEqual([
      'UnrecordableEvent: pump.ran.at is NaN, which JSON cannot give back',
    ]);
    expect(recorded.actor.getSnapshot().status).toBe('stopped');
    expect(typesOf(log)).toEqual(['xstate.init']);
  });
});
