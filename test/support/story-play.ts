/**
 * Plays a story on a live chart: its clock stands still until the story moves it, and every state
 * it goes through is written down.
 */
import {
  createActor,
  SimulatedClock,
  type Actor,
  type AnyStateMachine,
  type ContextFrom,
  type EventFromLogic,
  type InputFrom,
  type StateValue,
} from 'xstate';
import { failures, type FailureReason } from '../../machines/failures.ts';

export interface Played<Machine extends AnyStateMachine> {
  actor: Actor<Machine>;
  clock: SimulatedClock;
  /** The innermost states in order, those only passed through included; repetitions are one. */
  states: () => string[];
  context: () => ContextFrom<Machine>;
  /** Lets time pass. Milliseconds. */
  wait: (ms: number) => void;
  /** Something that the chart's types do not allow. */
  forge: (event: { type: string; [field: string]: unknown }) => void;
}

export function play<Machine extends AnyStateMachine>(
  machine: Machine,
  input: InputFrom<Machine>,
): Played<Machine> {
  const clock = new SimulatedClock();
  const states: string[] = [];
  const visit = (value: StateValue) => {
    const name = innermost(value);
    if (states.at(-1) !== name) states.push(name);
  };
  let broken: unknown = null;
  const actor = createActor(machine as AnyStateMachine, {
    input,
    clock,
    inspect: (inspected) => {
      if (inspected.type === '@xstate.microstep' && 'value' in inspected.snapshot)
        visit(inspected.snapshot['value'] as StateValue);
    },
  });
  actor.subscribe({
    error: (error) => {
      broken = error;
    },
  });
  visit(actor.getSnapshot().value as StateValue);
  actor.start();
  const whole = () => {
    if (broken !== null) throw broken;
  };
  whole();
  return {
    actor: actor as Actor<Machine>,
    clock,
    states: () => {
      whole();
      return [...states];
    },
    context: () => actor.getSnapshot().context as ContextFrom<Machine>,
    wait: (ms) => {
      clock.increment(ms);
      whole();
    },
    forge: (event) => actor.send(event as EventFromLogic<AnyStateMachine>),
  };
}

function innermost(value: StateValue): string {
  if (typeof value === 'string') return value;
  const [inner] = Object.values(value);
  return inner === undefined ? '' : innermost(inner);
}

/** What the person reads. */
export function words(reason: FailureReason | null): string[] {
  return reason === null ? [] : [failures[reason].message, failures[reason].hint];
}

/** The fields of a fact that its teller has to give. */
export type Told<Fact extends { type: string }, Type extends Fact['type']> = Omit<
  Extract<Fact, { type: Type }>,
  'type' | 'at'
>;

/** No argument where a fact has no field of its own. */
export type Fields<Fact extends { type: string }, Type extends Fact['type']> =
  {} extends Told<Fact, Type> ? [] : [Told<Fact, Type>];
