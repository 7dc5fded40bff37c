/**
 * No transition reaches `signing` except through `reviewing` and `verifyingUser` of the same
 * request: asserted over the definitions of all transitions, and over the graph of all states that
 * two requests, two links and an identity being disabled can bring about.
 */
import { describe, expect, it } from 'vitest';
import type { AnyStateNode, AnyTransitionDefinition, StateFrom } from 'xstate';
import { adjacencyMapToArray, getAdjacencyMap, getStateNodes } from 'xstate/graph';
import { signerMachine } from '../../machines/phone/signer.machine.ts';
import type { SignerEvent } from '../../machines/phone/signer.context.ts';
import { disabled, enabled, foreign, request } from '../support/story-signer.ts';

type State = StateFrom<typeof signerMachine>;

const nodes: AnyStateNode[] = [signerMachine.root, ...getStateNodes(signerMachine)];
const transitions: AnyTransitionDefinition[] = nodes.flatMap((node) => [
  ...[...node.transitions.values()].flat(),
  ...(node.always ?? []),
]);

/** What a target enters: itself, its ancestors, and where it begins. */
function entered(target: AnyStateNode): string[] {
  const inner = target.initial?.target ?? [];
  return [...ancestry(target), ...inner.flatMap(entered)];
}

function ancestry(node: AnyStateNode): string[] {
  return [node.id, ...(node.parent ? ancestry(node.parent) : [])];
}

/** The transitions that enter a state, as `source on event [guard]`. */
function waysInto(id: string): string[] {
  return transitions
    .filter(({ target }) => target?.some((node) => entered(node).includes(id)))
    .map(({ source, eventType, guard }) => `${source.id} on ${eventType} [${String(guard)}]`);
}

/** The states in which a port runs. */
const users = (port: string) =>
  nodes.filter(({ invoke }) => invoke.some(({ src }) => src === port)).map(({ id }) => id);

const isSigned = (action: unknown) =>
  JSON.stringify(action)?.includes('"outcome":"signed"') ?? false;

const linked = 'signer.awake.linked';

describe('the definitions', () => {
  it('have one way into `signing`: a verified person', () => {
    expect(waysInto(`${linked}.signing`)).toEqual([
      `${linked}.verifyingUser on xstate.done.actor.biometrics [isVerified]`,
    ]);
  });

  it('have one way into `verifyingUser`: an approval of the request on the sheet', () => {
    expect(waysInto(`${linked}.verifyingUser`)).toEqual([
      `${linked}.reviewing.deciding on user.approve [isOnSheet]`,
    ]);
  });

  it('use the key in `signing` and ask for Face ID in `verifyingUser`, and nowhere else', () => {
    expect(users('keys')).toEqual([`${linked}.signing`]);
    expect(users('biometrics')).toEqual([`${linked}.verifyingUser`]);
  });

  it('answer with a signature only when the key has signed', () => {
    const all = nodes.flatMap(({ entry, exit }) => [...entry, ...exit]);
    expect(all.filter(isSigned)).toEqual([]);
    expect(
      transitions
        .filter(({ actions }) => actions.some(isSigned))
        .map(({ source, eventType }) => `${source.id} on ${eventType}`),
    ).toEqual([`${linked}.signing on xstate.done.actor.keys`]);
  });
});

const one = request({ ref: 'one' });
const two = request({ ...foreign, ref: 'two' });

/** Whatever can be told or forged: every internal event of the chart included. */
const events = [
  { type: 'link.opened', linkId: 'link-1', deviceId: 'headset-1', deviceName: 'Vision Pro' },
  { type: 'link.opened', linkId: 'link-2', deviceId: 'headset-2', deviceName: 'Laptop' },
  { type: 'link.closed', linkId: 'link-1', detail: '' },
  { type: 'link.closed', linkId: 'link-2', detail: '' },
  { type: 'request.received', ...one },
  { type: 'request.received', ...one, linkId: 'link-2' },
  { type: 'request.received', ...two },
  ...['one', 'two', 'three'].flatMap((ref) =>
    ['request.withdrawn', 'request.expired', 'sheet.shown', 'user.approve', 'user.deny'].map(
      (type) => ({ type, ref }),
    ),
  ),
  { type: 'identities.changed', identities: [enabled('work')] },
  { type: 'identities.changed', identities: [disabled('work')] },
  { type: 'phone.suspended' },
  { type: 'phone.resumed' },
  { type: 'xstate.done.actor.biometrics', output: { verdict: 'verified' } },
  { type: 'xstate.done.actor.biometrics', output: { verdict: 'refused' } },
  ...[...new Set(transitions.map(({ eventType }) => eventType))]
    .filter((type) => type.startsWith('xstate.') && type !== 'xstate.done.actor.biometrics')
    .map((type) => ({ type })),
] as SignerEvent[];

function graph() {
  return adjacencyMapToArray<State, SignerEvent>(
    getAdjacencyMap(signerMachine, {
      input: { port: 1, identities: [enabled('work')] },
      events,
      /** Each link once, and so a finite graph. */
      filterEvents: ({ context }, event) =>
        event.type !== 'link.opened' ||
        !context.links.some(({ linkId }) => linkId === event.linkId),
      serializeState: ({ value, context }) =>
        JSON.stringify([
          value,
          context.links,
          context.queue.map(({ ref, linkId }) => [ref, linkId]),
          context.tries,
          context.identities.map((identity) => identity.enabled),
        ]),
    }) as never,
  );
}

const onSheet = ({ context }: State) => context.queue[0]?.ref;
const isSigning = (state: State) => state.matches({ awake: { linked: 'signing' } });
const isVerifying = (state: State) => state.matches({ awake: { linked: 'verifyingUser' } });
const isDeciding = (state: State) =>
  state.matches({ awake: { linked: { reviewing: 'deciding' } } });

describe('the graph', () => {
  const edges = graph();

  it('reaches `signing` only from `verifyingUser` of the same request, by its verification', () => {
    const into = edges.filter(({ state, nextState }) => isSigning(nextState) && !isSigning(state));
    for (const { state, event, nextState } of into) {
      expect(isVerifying(state)).toBe(true);
      expect(onSheet(nextState)).toBe(onSheet(state));
      expect(event).toEqual({
        type: 'xstate.done.actor.biometrics',
        output: { verdict: 'verified' },
      });
    }
    expect(new Set(into.map(({ nextState }) => onSheet(nextState)))).toEqual(
      new Set(['one', 'two']),
    );
  });

  it('reaches `verifyingUser` only from the sheet of the same request, by its approval', () => {
    const into = edges.filter(
      ({ state, nextState }) => isVerifying(nextState) && !isVerifying(state),
    );
    for (const { state, event, nextState } of into) {
      expect(isDeciding(state)).toBe(true);
      expect(onSheet(nextState)).toBe(onSheet(state));
      expect(event).toEqual({ type: 'user.approve', ref: onSheet(state) });
    }
    expect(new Set(into.map(({ nextState }) => onSheet(nextState)))).toEqual(
      new Set(['one', 'two']),
    );
  });

  it('never changes the request while it is decided, verified or signed', () => {
    const modes = [isDeciding, isVerifying, isSigning];
    const within = edges.filter(({ state, nextState }) =>
      modes.some((mode) => mode(state) && mode(nextState)),
    );
    const changed = within.filter(({ state, nextState }) => onSheet(state) !== onSheet(nextState));
    expect(within.length).toBeGreaterThan(0);
    expect(changed).toEqual([]);
  });
});
