import type { AnyStateMachine } from 'xstate';
import { FINISHED, STOPPED } from '../../../adapters/event-log/recorder.ts';
import { INTERRUPTED } from '../../../adapters/event-log/processes.ts';
import { statesOf } from '../../diagrams/transitions.ts';

/**
 * Every event type that a stream of this machine can hold: those of its chart, those that its
 * invoked actors end with, and the recorder's own. Another one is not a name of ours.
 */
export function eventTypesOf(machine: AnyStateMachine): ReadonlySet<string> {
  const invoked = [machine.root, ...statesOf(machine)].flatMap(({ invoke }) => invoke);
  return new Set([
    'xstate.init',
    'xstate.stop',
    FINISHED,
    STOPPED,
    INTERRUPTED,
    ...machine.events,
    ...invoked.flatMap(({ id }) => [`xstate.done.actor.${id}`, `xstate.error.actor.${id}`]),
  ]);
}
