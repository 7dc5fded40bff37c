import { assign, emit, fromCallback, fromPromise, raise, sendTo, setup } from 'xstate';

export interface BrewInput {
  cups: number;
}

interface BrewContext {
  cups: number;
  water: number | null;
  trouble: unknown;
  ticks: number;
}

export type BrewEvent =
  | { type: 'user.brew'; strength: string }
  | { type: 'user.abort' }
  | { type: 'pump.ran'; at: number; millilitres?: number | undefined }
  | { type: 'tick.came' };

/** Has one of each: `after`, done, error, `always`, `raise`, delayed `raise`, a port, an output. */
export const brewMachine = setup({
  types: {
    input: {} as BrewInput,
    context: {} as BrewContext,
    events: {} as BrewEvent,
    output: {} as { cups: number; ticks: number },
    emitted: {} as { type: 'poured' },
  },
  actors: {
    boil: fromPromise<{ celsius: number } | undefined, { cups: number }>(() => {
      throw new Error('port "boil" was not provided');
    }),
    pump: fromCallback<{ type: 'pump.start' }, undefined>(() => {
      throw new Error('port "pump" was not provided');
    }),
  },
  actions: { effect: (_, _params: { name: string }) => {} },
  guards: { full: ({ context }) => (context.water ?? 0) >= context.cups * 100 },
  delays: { cooling: 200, ticking: 50 },
}).createMachine({
  id: 'brew',
  context: ({ input }) => ({ cups: input.cups, water: null, trouble: null, ticks: 0 }),
  initial: 'idle',
  invoke: { src: 'pump', id: 'pump' },
  output: ({ context }) => ({ cups: context.cups, ticks: context.ticks }),
  on: {
    'tick.came': { actions: assign({ ticks: ({ context }) => context.ticks + 1 }) },
    'user.abort': '.aborted',
  },
  states: {
    idle: {
      entry: raise({ type: 'tick.came' }),
      on: {
        'user.brew': {
          target: 'pumping',
          actions: [
            { type: 'effect', params: { name: 'brew' } },
            { type: 'effect', params: { name: 'grind' } },
          ],
        },
      },
    },
    pumping: {
      entry: sendTo('pump', { type: 'pump.start' }),
      on: {
        'pump.ran': {
          actions: assign({
            water: ({ context, event }) => (context.water ?? 0) + (event.millilitres ?? 0),
          }),
        },
      },
      always: { guard: 'full', target: 'boiling' },
    },
    boiling: {
      entry: raise({ type: 'tick.came' }, { delay: 'ticking' }),
      invoke: {
        src: 'boil',
        id: 'boil',
        input: ({ context }) => ({ cups: context.cups }),
        onDone: { target: 'cooling', actions: { type: 'effect', params: { name: 'boiled' } } },
        onError: {
          target: 'broken',
          actions: assign({ trouble: ({ event }) => event.error }),
        },
      },
    },
    cooling: {
      after: {
        cooling: {
          target: 'served',
          actions: [emit({ type: 'poured' }), { type: 'effect', params: { name: 'cooled' } }],
        },
      },
    },
    served: { type: 'final' },
    broken: {},
    aborted: { type: 'final' },
  },
});
