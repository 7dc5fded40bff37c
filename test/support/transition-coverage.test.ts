import { assign } from 'xstate';
import { describe, expect, it } from 'vitest';
import { doorMachine } from '../fixture/door.machine.ts';
import { edgePaths, machineModel, walkEdges } from './transition-coverage.ts';

const model = machineModel({
  machine: doorMachine,
  input: {},
  samples: [],
  outputs: { register: [{ known: true }, { known: false }] },
  abstract: ({ rings }) => Math.min(rings, 3),
});

describe('the coverage of transitions', () => {
  it('takes every transition on live actors: on, always, after, done and error', () => {
    const { all, missed, divergences } = walkEdges(model);
    expect(divergences).toEqual([]);
    expect(missed).toEqual([]);
    expect(all).toHaveLength(9);
  });

  it('names the transitions that were not taken', () => {
    expect(walkEdges({ ...model, outputs: { register: [{ known: true }] } }).missed).toEqual([
      'door.day.checking on done register #2',
    ]);
  });

  it('names the path on which a live actor differs from paper', () => {
    let rings = 0;
    const moody = doorMachine.provide({
      actions: { countRing: assign(() => ({ rings: rings++ })) },
    });
    const [divergence] = walkEdges({ ...model, machine: moody }).divergences;
    expect(divergence).toMatch(/^day\.began, bell\.rung: \{"value":\{"day":"checking"\}/);
  });

  it('refuses a model that tells too many states apart', () => {
    const boundless = { ...model, abstract: ({ rings }: { rings: number }) => rings };
    expect(() => edgePaths(boundless)).toThrow('door: more than 1000 states');
  });

  it('reaches each edge by a shortest path', () => {
    expect(Math.max(...edgePaths(model).map((path) => path.length))).toBe(7);
  });
});
