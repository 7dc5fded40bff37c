/**
 * No transition reaches `signing` except through `reviewing` and `verifyingUser` of the same
 * request, and none lets its person decide before its code was typed where it must be: asserted over
 * the definitions of all transitions, and over the graph of all states that two requests, two links,
 * an identity being disabled and a host becoming known can bring about.
 */
import { describe, expect, it } from 'vitest';
import type { AnyStateNode, AnyTransitionDefinition, StateFrom } from 'xstate';
import { adjacencyMapToArray, getAdjacencyMap, getStateNodes } from 'xstate/graph';
import { signerMachine } from '../../machines/phone/signer.machine.ts';
import { badgeOf, mustTypeCode } from '../../machines/phone/destination.ts';
import type { SignerEvent } from '../../machines/phone/signer.context.ts';
import { disabled, enabled, foreign, pinned, toNewHost } from '../support/story-signer.ts';

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

/** What leads out of a state when its sheet has settled, in the order in which it is tried. */
const afterSettling = () =>
  transitions
    .filter(({ source, eventType }) => source.id === settling && eventType.includes('after'))
    .map(({ guard, target }) => [String(guard), target?.map(({ id }) => id)]);

/** The states that take an event. */
const takers = (event: string) =>
  transitions.filter(({ eventType }) => eventType === event).map(({ source }) => source.id);

/** The states in which a port runs. */
const users = (port: string) =>
  nodes.filter(({ invoke }) => invoke.some(({ src }) => src === port)).map(({ id }) => id);

const isSigned = (action: unknown) =>
  JSON.stringify(action)?.includes('"outcome":"signed"') ?? false;

const linked = 'signer.awake.linked';
const settling = `${linked}.reviewing.settling`;

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

  it('let the person decide at once only where no code has to be typed, else by its own code', () => {
    expect(afterSettling()).toEqual([
      ['mustTypeCode', [`${linked}.reviewing.matching`]],
      ['undefined', [`${linked}.reviewing.deciding`]],
    ]);
    expect(waysInto(`${linked}.reviewing.deciding`)).toEqual([
      `${settling} on xstate.after.settle.${settling} [undefined]`,
      `${linked}.reviewing.matching on user.code [isItsCode]`,
      `${linked}.verifyingUser on xstate.done.actor.biometrics [hasTriesLeft]`,
    ]);
    expect(waysInto(`${linked}.reviewing.matching`)).toEqual([
      `${settling} on xstate.after.settle.${settling} [mustTypeCode]`,
    ]);
  });

  it('take no approval, no pinning and no code outside the state that is for it', () => {
    expect(new Set(takers('user.approve'))).toEqual(new Set([`${linked}.reviewing.deciding`]));
    expect(new Set(takers('user.pin'))).toEqual(new Set([`${linked}.reviewing.deciding`]));
    expect(new Set(takers('user.code'))).toEqual(new Set([`${linked}.reviewing.matching`]));
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

/** Its host is not known until `new.example` is pinned. */
const one = { ...toNewHost, ref: 'one', code: '41' };
/** No code has to be typed for it. */
const two = { ...foreign, ref: 'two', code: '42' };

const known = [pinned('server.example')];

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
  ...['one', 'two', 'three'].flatMap((ref) =>
    [one, two].map(({ code }) => ({ type: 'user.code', ref, code })),
  ),
  { type: 'user.pin', ref: 'one', pin: true },
  { type: 'settings.changed', identities: [enabled('work')] },
  { type: 'settings.changed', identities: [disabled('work')] },
  { type: 'settings.changed', pins: known },
  { type: 'settings.changed', pins: [...known, pinned('new.example')] },
  { type: 'hostbound.noted' },
  { type: 'phone.suspended' },
  { type: 'phone.resumed' },
  { type: 'xstate.done.actor.biometrics', output: { verdict: 'verified' } },
  { type: 'xstate.done.actor.biometrics', output: { verdict: 'refused' } },
  ...[...new Set(transitions.map(({ eventType }) => eventType))]
    .filter((type) => type.startsWith('xstate.') && type !== 'xstate.done.actor.biometrics')
    .map((type) => ({ type })),
] as SignerEvent[];

type Edge = ReturnType<typeof graph>[number];

/** The states at the end of all paths over these edges; a path begins where nothing has happened. */
function reachable(edges: Edge[]): State[] {
  const from = Map.groupBy(edges, ({ state }) => keyOf(state));
  const start = [...from.values()][0]?.[0]?.state;
  const seen = new Map(start && [[keyOf(start), start]]);
  for (const [key] of seen) {
    for (const { nextState } of from.get(key) ?? []) seen.set(keyOf(nextState), nextState);
  }
  return [...seen.values()];
}

/** What tells two states apart. */
const keyOf = ({ value, context }: State) =>
  JSON.stringify([
    value,
    context.links,
    context.queue.map(({ ref, linkId }) => [ref, linkId]),
    context.tries,
    context.identities.map((identity) => identity.enabled),
    context.pins.length,
  ]);

function graph() {
  return adjacencyMapToArray<State, SignerEvent>(
    getAdjacencyMap(signerMachine, {
      input: { port: 1, identities: [enabled('work')], pins: known },
      events,
      /** Each link once, and so a finite graph. */
      filterEvents: ({ context }, event) =>
        event.type !== 'link.opened' ||
        !context.links.some(({ linkId }) => linkId === event.linkId),
      serializeState: keyOf,
    }) as never,
  );
}

const onSheet = ({ context }: State) => context.queue[0]?.ref;
const isSigning = (state: State) => state.matches({ awake: { linked: 'signing' } });
const isVerifying = (state: State) => state.matches({ awake: { linked: 'verifyingUser' } });
const isDeciding = (state: State) =>
  state.matches({ awake: { linked: { reviewing: 'deciding' } } });
const isMatching = (state: State) =>
  state.matches({ awake: { linked: { reviewing: 'matching' } } });
const isSettling = (state: State) =>
  state.matches({ awake: { linked: { reviewing: 'settling' } } });

/** The person has to type the code of the request on the sheet. */
function needsCode({ context: { queue, pins } }: State): boolean {
  const [asked] = queue;
  return asked !== undefined && mustTypeCode(badgeOf(pins, asked), asked.proof);
}

const isOwnCode = ({ context }: State, event: SignerEvent) =>
  event.type === 'user.code' &&
  event.ref === context.queue[0]?.ref &&
  event.code === context.queue[0].code;

/** Where a person may decide, or has, although the code of the request has to be typed. */
const decided = (states: State[]) =>
  states.filter(
    (state) => [isDeciding, isVerifying, isSigning].some((mode) => mode(state)) && needsCode(state),
  );

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

  it('reaches `deciding` without a code only where none has to be typed, else by its own', () => {
    const into = edges.filter(
      ({ state, nextState }) => isDeciding(nextState) && !isDeciding(state),
    );
    for (const { state, event, nextState } of into) {
      expect(onSheet(nextState)).toBe(onSheet(state));
      const way = [isSettling(state), isMatching(state), isVerifying(state)];
      expect(way.filter(Boolean)).toEqual([true]);
      if (isSettling(state)) expect(needsCode(state)).toBe(false);
      if (isMatching(state)) expect(isOwnCode(state, event)).toBe(true);
    }
    const ways = into.map(({ state }) => `${onSheet(state)} ${isMatching(state)}`);
    expect(new Set(ways)).toEqual(new Set(['one true', 'one false', 'two false']));
  });

  it('has no path to an approval of a request whose code must be typed and was not', () => {
    expect(decided(reachable(edges)).length).toBeGreaterThan(0);
    expect(
      decided(reachable(edges.filter(({ state, event }) => !isOwnCode(state, event)))),
    ).toEqual([]);
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
