/** What the link chart is made of: context, events, actions, guards and clocks. */
import { assertEvent, assign, enqueueActions, sendTo, setup } from 'xstate';
import {
  browsePort,
  connectorPort,
  type ConnectorFact,
  type LinkFailure,
  type PeerFact,
} from './ports.ts';
import type { Endpoint, Phone, PublicIdentity } from '../ports.ts';

export interface LinkInput {
  phones: Phone[];
  /** Addresses at which a paired phone was met before, or that were given by hand. */
  remembered: Endpoint[];
}

export interface LinkContext {
  /** The paired phones. */
  phones: Phone[];
  remembered: Endpoint[];
  /** What browsing shows now, by DNS-SD instance name. */
  found: Record<string, Endpoint[]>;
  /** Endpoints whose phone turned this headset away since somebody last wanted a link. */
  refused: { endpoint: Endpoint; reason: LinkFailure }[];
  /** The phone that is being secured or is linked. */
  phone: Phone | null;
  endpoint: Endpoint | null;
  identities: PublicIdentity[];
  /** Links lost in a row, for the backoff. */
  attempt: number;
  /** Uniform in [0, 1): drawn by the adapter. */
  jitter: number;
}

export type LinkEvent =
  | { type: 'app.started' }
  /** A flow needs a phone now. */
  | { type: 'link.wanted' }
  | { type: 'phones.changed'; phones: Phone[]; remembered: Endpoint[] }
  | PeerFact
  | ConnectorFact;

const same = (a: Endpoint, b: Endpoint) => a.address === b.address && a.port === b.port;

/** Every endpoint worth dialling, each once, remembered ones first. */
export function endpointsToDial(context: LinkContext): Endpoint[] {
  const known = [...context.remembered, ...Object.values(context.found).flat()];
  return known.filter(
    (endpoint, i) =>
      known.findIndex((other) => same(endpoint, other)) === i &&
      !context.refused.some((refusal) => same(refusal.endpoint, endpoint)),
  );
}

/** What to tell a person about the phones that turned this headset away; `null` when none did. */
export function refusalOf({ refused }: LinkContext): LinkFailure | null {
  const reasons = refused.map(({ reason }) => reason);
  // A stranger's phone is no news when one's own has spoken.
  return reasons.find((reason) => reason !== 'unknownPhone') ?? reasons[0] ?? null;
}

/** Full jitter (Exponential Backoff And Jitter, AWS): 0.1–2 s. */
function backoff({ attempt, jitter }: LinkContext): number {
  const ceiling = Math.min(2_000, 100 * 2 ** attempt);
  return Math.max(100, Math.round(jitter * ceiling));
}

export const linkSetup = setup({
  types: {
    context: {} as LinkContext,
    events: {} as LinkEvent,
    input: {} as LinkInput,
  },
  actors: { browse: browsePort, connector: connectorPort },
  actions: {
    dialKnown: enqueueActions(({ context, enqueue }) => {
      const endpoints = endpointsToDial(context);
      if (endpoints.length > 0) enqueue.sendTo('connector', { type: 'connector.dial', endpoints });
    }),
    secure: sendTo('connector', { type: 'connector.secure' }),
    closeLink: sendTo('connector', { type: 'connector.close' }),
    rememberFound: assign(({ context, event }) => {
      assertEvent(event, 'peer.found');
      return { found: { ...context.found, [event.instance]: event.endpoints } };
    }),
    forgetFound: assign(({ context, event }) => {
      assertEvent(event, 'peer.gone');
      const { [event.instance]: _, ...found } = context.found;
      return { found };
    }),
    forgetAllFound: assign({ found: {} }),
    rememberRefusal: assign(({ context, event }) => {
      assertEvent(event, 'peer.refused');
      const { endpoint, reason } = event;
      return { refused: [...context.refused, { endpoint, reason }] };
    }),
    forgetRefusals: assign({ refused: [] }),
    rememberAnswered: assign(({ event }) => {
      assertEvent(event, 'peer.answered');
      return { phone: event.phone, endpoint: event.endpoint };
    }),
    rememberEstablished: assign(({ event }) => {
      assertEvent(event, 'link.established');
      const { phone, endpoint, identities } = event;
      return { phone, endpoint, identities, attempt: 0, refused: [] };
    }),
    rememberIdentities: assign(({ event }) => {
      assertEvent(event, 'link.identitiesChanged');
      return { identities: event.identities };
    }),
    rememberDrop: assign(({ context, event }) => {
      assertEvent(event, 'link.dropped');
      return { attempt: context.attempt + 1, jitter: event.jitter };
    }),
    forgetLink: assign({ phone: null, endpoint: null, identities: [] }),
    rememberPhones: assign(({ event }) => {
      assertEvent(event, 'phones.changed');
      return { phones: event.phones, remembered: event.remembered, refused: [] };
    }),
    forgetUnpaired: assign(({ context, event }) => {
      assertEvent(event, 'link.unpaired');
      return { phones: context.phones.filter((phone) => phone.id !== event.phone.id) };
    }),
  },
  guards: {
    hasPhones: ({ context }) => context.phones.length > 0,
    bringsPhones: ({ event }) => 'phones' in event && event.phones.length > 0,
    bringsNoPhones: ({ event }) => 'phones' in event && event.phones.length === 0,
    losesThisPhone: ({ context, event }) =>
      'phones' in event &&
      context.phone !== null &&
      !event.phones.some((phone) => phone.id === context.phone?.id),
    wasOnlyPhone: ({ context, event }) =>
      'phone' in event && context.phones.every((phone) => phone.id === event.phone.id),
    wasRefused: ({ context }) => context.refused.length > 0,
    nothingFound: ({ context }) => Object.keys(context.found).length === 0,
  },
  delays: {
    searchWindow: 1_500,
    redialPeriod: 2_000,
    secureTimeout: 3_000,
    backoff: ({ context }) => backoff(context),
  },
});

/** The context at the beginning. */
export const initialContext = ({ input }: { input: LinkInput }): LinkContext => ({
  phones: input.phones,
  remembered: input.remembered,
  found: {},
  refused: [],
  phone: null,
  endpoint: null,
  identities: [],
  attempt: 0,
  jitter: 0,
});
