/** Stories of the headset's link. */
import { fromEventObservable } from 'xstate';
import { Subject } from 'rxjs';
import { linkMachine } from '../../machines/headset/link.machine.ts';
import type { LinkEvent, LinkInput } from '../../machines/headset/link.setup.ts';
import type {
  BrowseInput,
  ConnectorCommand,
  LinkFailure,
  PeerFact,
} from '../../machines/headset/ports.ts';
import type { Endpoint, Phone, PublicIdentity } from '../../machines/ports.ts';
import { iphone } from './story-headset.ts';
import { play } from './story-play.ts';
import { recordingPort } from './story-ports.ts';

/** The link of a headset that is paired with one phone; the program has not begun. */
export function link(options: Partial<LinkInput> = {}, broken: { connector?: boolean } = {}) {
  const network = new Subject<PeerFact>();
  const browsed: BrowseInput[] = [];
  const connector = recordingPort<ConnectorCommand, undefined>({
    broken: broken.connector ?? false,
  });
  const played = play(
    linkMachine.provide({
      actors: {
        browse: fromEventObservable<PeerFact, BrowseInput>(({ input }) => {
          browsed.push(input);
          return network;
        }),
        connector: connector.logic,
      },
    }),
    { phones: [iphone], remembered: [], ...options },
  );
  return {
    ...played,
    network,
    browsed,
    connector,
    sent: connector.sent,
    tell: (event: LinkEvent) => played.actor.send(event),
  };
}

export type LinkStory = ReturnType<typeof link>;

/** The program has begun, and the phone is searched for. */
export function search(options: Partial<LinkInput> = {}): LinkStory {
  const story = link(options);
  story.tell({ type: 'app.started' });
  return story;
}

/** A phone answered at 192.0.2.1; its hello is awaited. */
export function untilSecuring(options: Partial<LinkInput> = {}): LinkStory {
  const story = search(options);
  story.tell(found('instance-1', '192.0.2.1'));
  story.tell(answered(iphone, '192.0.2.1'));
  return story;
}

export function untilUp(options: Partial<LinkInput> = {}): LinkStory {
  const story = untilSecuring(options);
  story.tell(established(iphone, '192.0.2.1', []));
  return story;
}

export const at = (address: string): Endpoint => ({ address, port: 4_022 });

export const found = (instance: string, address: string): LinkEvent => ({
  type: 'peer.found',
  instance,
  endpoints: [at(address)],
});

export const answered = (phone: Phone, address: string): LinkEvent => ({
  type: 'peer.answered',
  endpoint: at(address),
  phone,
});

export const refused = (address: string, reason: LinkFailure): LinkEvent => ({
  type: 'peer.refused',
  endpoint: at(address),
  reason,
});

export const established = (
  phone: Phone,
  address: string,
  identities: PublicIdentity[],
): LinkEvent => ({
  type: 'link.established',
  phone,
  endpoint: at(address),
  protocol: 1,
  identities,
});

export const dropped = (jitter = 0): LinkEvent => ({
  type: 'link.dropped',
  detail: 'gone',
  jitter,
});

// ── the exact commands ───────────────────────────────────────────────────────────────────────────

export const dialled = (...addresses: string[]): ConnectorCommand => ({
  type: 'connector.dial',
  endpoints: addresses.map(at),
});

export const secured: ConnectorCommand = { type: 'connector.secure' };
export const closed: ConnectorCommand = { type: 'connector.close' };
