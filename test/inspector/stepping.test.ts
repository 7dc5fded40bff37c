import { describe, expect, it } from 'vitest';
import {
  createActor,
  fromCallback,
  SimulatedClock,
  type AnyStateMachine,
  type AnyTransitionDefinition,
} from 'xstate';
import type { Envelope } from '../../adapters/event-log/envelope.ts';
import { comparable, fold } from '../../adapters/event-log/replay.ts';
import { keyOf, transitionsOf } from '../../app/diagrams/transitions.ts';
import { inspectedMachines } from '../../app/inspector/machines.ts';
import { viewOf } from '../../app/inspector/machine-view.ts';
import { createRun } from '../../app/inspector/run.ts';
import { createStepper } from '../../app/inspector/stepping.ts';
import { linkMachine } from '../../machines/headset/link.machine.ts';
import { edgePaths } from '../support/transition-coverage.ts';

const machines = await inspectedMachines();

/** What a recorder would have written. */
function envelopesOf(stream: string, input: unknown, events: { type: string }[]): Envelope[] {
  const all = [{ type: 'xstate.init', input }, ...events];
  return all.map(({ type, ...data }, index) => ({
    seq: index + 1,
    stream,
    version: index + 1,
    id: `${index}`,
    type,
    v: 1,
    at: 1_000 * (index + 1),
    data: JSON.parse(JSON.stringify(data)),
  }));
}

/** Keys of the transitions that a live actor takes for each event, and its states. */
function lived(machine: AnyStateMachine, input: unknown, events: { type: string }[]) {
  const silent = fromCallback(() => undefined);
  const names = Object.keys(machine.implementations.actors);
  const actors = Object.fromEntries(names.map((name) => [name, silent]));
  let taken: string[] = [];
  const actor = createActor(machine.provide({ actors }), {
    input,
    clock: new SimulatedClock(),
    inspect(inspected) {
      if (inspected.type !== '@xstate.microstep') return;
      const { _transitions: transitions } = inspected as unknown as {
        _transitions: AnyTransitionDefinition[];
      };
      taken.push(...transitions.map(keyOf));
    },
  });
  actor.start();
  const steps = events.map((event) => {
    taken = [];
    actor.send(event);
    return { taken, ...comparable(actor.getSnapshot()) };
  });
  actor.stop();
  return steps;
}

describe.each(machines)('$name', ({ name, machine }) => {
  it('is stepped as a live actor goes, transition by transition, and as the log folds', async () => {
    const { model } = await import(`../machines/models/${name}.ts`);
    const stepper = createStepper(machine);
    const taken = new Set<string>();
    for (const path of edgePaths(model)) {
      const events = path.map(({ event }) => event);
      const envelopes = envelopesOf(`${name}/one`, model.input, events);
      const run = createRun(`${name}/one`, stepper, envelopes);
      const live = lived(machine, model.input, events);
      const frames = envelopes.slice(1).map(({ version }) => run.frameAt(version));
      expect(
        frames.map((frame) => frame && { taken: frame.taken, ...comparable(frame.snapshot) }),
      ).toEqual(live);
      const last = run.frameAt(envelopes.length);
      expect(last && comparable(last.snapshot)).toEqual(comparable(fold(machine, envelopes)));
      for (const frame of frames) for (const key of frame?.taken ?? []) taken.add(key);
    }
    const all = transitionsOf(machine).map(({ key }) => key);
    expect(all.filter((key) => !taken.has(key))).toEqual([]);
  });
});

describe('a run of the link', () => {
  const endpoint = { address: '192.0.2.7', port: 7022 };
  const phone = { id: 'phone-1', name: 'iPhone' };
  const dropped = { type: 'link.dropped', detail: 'asleep', jitter: 0.5 };
  const redial = { type: 'xstate.after.redialPeriod.link.active.searching.quiet' };
  const begin = [
    { type: 'app.started' },
    { type: 'xstate.after.searchWindow.link.active.searching.looking' },
  ];
  const answered = { type: 'peer.answered', endpoint, phone };
  const runOf = (events: { type: string }[]) =>
    createRun(
      'link/one',
      createStepper(linkMachine),
      envelopesOf('link/one', { phones: [phone], remembered: [] }, events),
    );
  const viewAt = (run: ReturnType<typeof runOf>, version: number) =>
    viewOf({ device: 'headset', stream: 'link/one', version }, run.frameAt(version));

  it('tells which clocks run, since when, and for how long as the machine reckons it', () => {
    const run = runOf([...begin, redial, answered, dropped]);
    expect([2, 3, 4, 5, 6].map((version) => viewAt(run, version).clocks)).toEqual([
      [
        {
          state: 'link.active.searching.looking',
          delay: 'searchWindow',
          since: 2_000,
          milliseconds: 1_500,
        },
      ],
      [
        {
          state: 'link.active.searching.quiet',
          delay: 'redialPeriod',
          since: 3_000,
          milliseconds: 2_000,
        },
      ],
      // Entered again: the clock is a new one.
      [
        {
          state: 'link.active.searching.quiet',
          delay: 'redialPeriod',
          since: 4_000,
          milliseconds: 2_000,
        },
      ],
      [
        {
          state: 'link.active.securing',
          delay: 'secureTimeout',
          since: 5_000,
          milliseconds: 3_000,
        },
      ],
      // Full jitter: half of 200 ms.
      [{ state: 'link.active.lost', delay: 'backoff', since: 6_000, milliseconds: 100 }],
    ]);
  });

  it('lights the active states, parents first', () => {
    expect(viewAt(runOf([...begin, redial]), 4).active).toEqual([
      'link',
      'link.active',
      'searching',
      'link.active.searching.quiet',
    ]);
  });

  it('says of an event that it was of no use', () => {
    const run = runOf([{ type: 'link.wanted' }, ...begin]);
    expect([1, 2, 3].map((version) => viewAt(run, version).ignored)).toEqual([false, true, false]);
  });

  it('is the same wherever one jumps from', () => {
    const events = Array.from({ length: 300 }, () => redial);
    const straight = runOf([...begin, ...events]);
    const jumping = runOf([...begin, ...events]);
    const expected = Array.from({ length: 303 }, (_, index) => viewAt(straight, index + 1));
    for (const version of [303, 1, 150, 64, 65, 128, 63, 302, 200, 129, 2]) {
      expect(viewAt(jumping, version)).toEqual(expected[version - 1]);
    }
    expect(viewAt(jumping, 303).clocks[0]?.since).toBe(303_000);
  });

  it('that was stopped stays where it was without a clock, and what comes after is ignored', () => {
    const run = runOf(begin);
    const stopped = { type: 'app.stopped', data: null, seq: 4, version: 4, at: 4_000 };
    const [first] = run.envelopes;
    if (first === undefined) throw new Error('no event');
    run.append({ ...first, ...stopped });
    run.append({ ...first, type: 'link.wanted', data: {}, seq: 5, version: 5, at: 5_000 });
    expect(viewAt(run, 4)).toMatchObject({
      status: 'stopped',
      active: viewAt(run, 3).active,
      clocks: [],
    });
    expect(viewAt(run, 5)).toMatchObject({ status: 'stopped', ignored: true });
  });
});
