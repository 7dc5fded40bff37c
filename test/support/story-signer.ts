/** Stories of the phone. */
import { signerMachine } from '../../machines/phone/signer.machine.ts';
import type { Badge, HostPin } from '../../machines/phone/destination.ts';
import type {
  SignerEvent,
  SignerIdentity,
  SignerInput,
} from '../../machines/phone/signer.context.ts';
import { fromEventObservable } from 'xstate';
import { Subject } from 'rxjs';
import type {
  AdvertiseFact,
  AdvertiseInput,
  Answer,
  BiometricsInput,
  HostKey,
  ListenerCommand,
  PinsCommand,
  Proof,
  SheetCommand,
  SigningInput,
  Signing,
  SignRequest,
  Verification,
} from '../../machines/phone/ports.ts';
import type { SignerFailure } from '../../machines/ports.ts';
import { play } from './story-play.ts';
import { promisedPort, recordingPort } from './story-ports.ts';

export function enabled(label: string): SignerIdentity {
  return {
    fingerprint: `SHA256:${label}`,
    label,
    algorithm: 'ecdsa-sha2-nistp256',
    publicKey: `blob-of-${label}`,
    enabled: true,
  };
}

export function disabled(label: string): SignerIdentity {
  return { ...enabled(label), enabled: false };
}

/** The host key of a host, told from its name. */
export const hostKey = (host: string): HostKey => ({
  fingerprint: `SHA256:key-of-${host}`,
  keyType: 'ssh-ed25519',
});

/** The key of a host is known under its name. */
export function pinned(host: string, fields: Partial<HostPin> = {}): HostPin {
  return { name: host, port: 22, ...hostKey(host), isCa: false, since: 1_000, ...fields };
}

/** The bytes name that host's key, and the host has signed their session id. */
export function boundTo(host: string, fields: Partial<Proof> = {}): Proof {
  const key = { ...hostKey(host), certificate: null };
  return { strength: 'bound', host: key, hops: [], why: null, ...fields };
}

/** That host has signed the session id, and the bytes do not name it. */
export const vouchedBy = (host: string): Proof => boundTo(host, { strength: 'vouched' });

export const unproven: Proof = { strength: 'none', host: null, hops: [], why: 'noBind' };

/** A host through which the agent was forwarded. */
export const hop = (host: string, proven = true) => ({ ...hostKey(host), proven });

/**
 * A request of the first headset, over its first link, for the identity `work`, to a host that the
 * phone knows.
 */
export function request(fields: Partial<SignRequest> = {}): SignRequest {
  return {
    ref: 'headset-1/request-1',
    linkId: 'link-1',
    deviceId: 'headset-1',
    deviceName: 'Vision Pro',
    host: 'server.example',
    port: 22,
    code: '42',
    proof: boundTo('server.example'),
    user: 'ada',
    fingerprint: 'SHA256:work',
    challengeHash: 'hash-1',
    kind: 'hostbound',
    detail: null,
    ttl: 9_000,
    queueTtl: 50_000,
    sheetTtl: 8_000,
    ...fields,
  };
}

export const first = request();
export const second = request({
  ref: 'headset-1/request-2',
  challengeHash: 'hash-2',
  host: 'other.example',
  proof: boundTo('other.example'),
});
/** From another headset, over its own link. */
export const foreign = request({
  ref: 'headset-2/request-1',
  linkId: 'link-2',
  deviceId: 'headset-2',
  deviceName: 'Laptop',
  challengeHash: 'hash-3',
});

/** To a host that the phone has never seen: its code has to be typed. */
export const toNewHost = request({
  ref: 'headset-1/request-4',
  challengeHash: 'hash-4',
  host: 'new.example',
  proof: boundTo('new.example'),
});

const knownHosts = ['server.example', 'other.example'];

/**
 * The phone, awake, holding `work` and `home`, knowing `server.example` and `other.example`, with
 * no headset linked.
 */
export function phone(
  options: Partial<SignerInput> = {},
  broken: { listener?: boolean; sheet?: boolean; pins?: boolean } = {},
) {
  const advertiser = new Subject<AdvertiseFact>();
  const listener = recordingPort<ListenerCommand, undefined>({ broken: broken.listener ?? false });
  const sheet = recordingPort<SheetCommand, undefined>({ broken: broken.sheet ?? false });
  const pins = recordingPort<PinsCommand, undefined>({ broken: broken.pins ?? false });
  const biometrics = promisedPort<Verification, BiometricsInput>();
  const keys = promisedPort<Signing, SigningInput>();
  const advertised: AdvertiseInput[] = [];
  const played = play(
    signerMachine.provide({
      actors: {
        advertiser: fromEventObservable<AdvertiseFact, AdvertiseInput>(({ input }) => {
          advertised.push(input);
          return advertiser;
        }),
        listener: listener.logic,
        sheet: sheet.logic,
        pins: pins.logic,
        biometrics: biometrics.logic,
        keys: keys.logic,
      },
    }),
    {
      port: 4_022,
      identities: [enabled('work'), enabled('home')],
      pins: knownHosts.map((host) => pinned(host)),
      hostboundHosts: [...knownHosts, 'new.example'].map((host) => hostKey(host).fingerprint),
      ...options,
    },
  );
  const { actor } = played;
  const send = (event: SignerEvent) => actor.send(event);
  return {
    ...played,
    advertiser,
    advertised,
    ports: { listener, sheet, pins },
    sent: { listener: listener.sent, sheet: sheet.sent, pins: pins.sent },
    biometrics,
    keys,
    send,
    linked: (linkId: string, deviceId: string) =>
      send({ type: 'link.opened', linkId, deviceId, deviceName: 'Vision Pro' }),
    unlinked: (linkId: string) => send({ type: 'link.closed', linkId, detail: 'gone' }),
    asks: (asked: SignRequest) => send({ type: 'request.received', ...asked }),
    shown: (ref: string) => send({ type: 'sheet.shown', ref }),
    unseen: (ref: string) => send({ type: 'sheet.unseen', ref }),
    taps: (type: 'user.approve' | 'user.deny', ref: string) => send({ type, ref }),
    types: (ref: string, code: string) => send({ type: 'user.code', ref, code }),
    pins: (ref: string, pin: boolean) => send({ type: 'user.pin', ref, pin }),
    settings: (changed: Omit<Extract<SignerEvent, { type: 'settings.changed' }>, 'type'>) =>
      send({ type: 'settings.changed', ...changed }),
    mutes: (deviceId: string, left: number) => send({ type: 'device.muted', deviceId, left }),
    unmutes: (deviceId: string) => send({ type: 'device.unmuted', deviceId }),
    refs: () => played.context().queue.map(({ ref }) => ref),
  };
}

export type PhoneStory = ReturnType<typeof phone>;

/** Two headsets are linked, and the first asks. The sheet has just changed. */
export function untilAsked(story = phone(), asked = first): PhoneStory {
  story.linked('link-1', 'headset-1');
  story.linked('link-2', 'headset-2');
  story.asks(asked);
  story.shown(asked.ref);
  return story;
}

/** The person can type the code of a request that needs it. */
export function untilMatching(story = phone(), asked = toNewHost): PhoneStory {
  untilAsked(story, asked);
  story.wait(700);
  return story;
}

/** The person can answer the first request. */
export function untilDeciding(story = phone(), asked = first): PhoneStory {
  untilAsked(story, asked);
  story.wait(700);
  story.types(asked.ref, asked.code);
  return story;
}

/** The person approved it. */
export function untilVerifying(story = phone(), asked = first): PhoneStory {
  untilDeciding(story, asked);
  story.taps('user.approve', asked.ref);
  return story;
}

/** The person was verified. */
export async function untilSigning(story = phone(), asked = first): Promise<PhoneStory> {
  untilVerifying(story, asked);
  await story.biometrics.resolve({ verdict: 'verified' });
  return story;
}

// ── the exact commands ───────────────────────────────────────────────────────────────────────────

export const advertises = (...labels: string[]): ListenerCommand => ({
  type: 'listener.advertise',
  identities: labels.map((label) => {
    const { enabled: _, ...identity } = enabled(label);
    return identity;
  }),
});

export const presents = ({ ref, linkId }: SignRequest): ListenerCommand => ({
  type: 'listener.presented',
  ref,
  linkId,
});

export const queues = ({ ref, linkId }: SignRequest): ListenerCommand => ({
  type: 'listener.queued',
  ref,
  linkId,
});

export const answers = ({ ref, linkId }: SignRequest, answer: Answer): ListenerCommand => ({
  type: 'listener.answer',
  ref,
  linkId,
  answer,
});

export type SheetFields = Partial<Extract<SheetCommand, { type: 'sheet.show' }>>;

/** The badge of a host whose key is pinned. */
export const known = (name: string): Extract<Badge, { badge: 'known' }> => ({
  badge: 'known',
  name,
  since: 1_000,
  isCertified: false,
  fingerprint: hostKey(name).fingerprint,
});

/**
 * The sheet of a request for the identity `work` to a host that the phone knows, alone and fresh
 * unless said otherwise.
 */
export const shows = (
  { ref, deviceName, host, port, user, fingerprint, kind, detail, ttl, code }: SignRequest,
  fields: SheetFields = {},
): SheetCommand => ({
  type: 'sheet.show',
  ref,
  deviceName,
  host,
  port,
  badge: known(host),
  hops: [],
  user,
  label: 'work',
  fingerprint,
  kind,
  detail,
  ttl,
  code,
  canPin: false,
  equal: 1,
  waiting: 0,
  ...fields,
});

/** What differs on the sheet of a host that the phone has never seen. */
export const asNewHost = {
  badge: { badge: 'newHost', fingerprint: hostKey('new.example').fingerprint },
  code: null,
  canPin: true,
} as const;

export const counts = ({ ref }: SignRequest, equal: number, waiting: number): SheetCommand => ({
  type: 'sheet.count',
  ref,
  equal,
  waiting,
});

export const tellsRefused = (
  { ref, deviceName, host, user, kind }: SignRequest,
  reason: SignerFailure,
): SheetCommand => ({ type: 'sheet.refused', ref, deviceName, host, user, kind, reason });

/** Turned down, whether it was waiting or not. */
export const refuses = (asked: SignRequest, reason: SignerFailure): ListenerCommand =>
  answers(asked, { outcome: 'failed', reason });

export const denies = (asked: SignRequest): ListenerCommand =>
  answers(asked, { outcome: 'denied', why: 'denied' });

export const asksCode = ({ ref }: SignRequest): SheetCommand => ({ type: 'sheet.askCode', ref });
export const saysWrongCode = ({ ref }: SignRequest, triesLeft: number): SheetCommand => ({
  type: 'sheet.wrongCode',
  ref,
  triesLeft,
});
export const showsPinning = ({ ref }: SignRequest, pin: boolean): SheetCommand => ({
  type: 'sheet.pinning',
  ref,
  pin,
});

export const accepts = ({ ref }: SignRequest): SheetCommand => ({ type: 'sheet.accept', ref });
export const verifies = ({ ref }: SignRequest): SheetCommand => ({ type: 'sheet.verifying', ref });
export const retries = ({ ref }: SignRequest, triesLeft: number): SheetCommand => ({
  type: 'sheet.retry',
  ref,
  triesLeft,
});
export const closes = ({ ref }: SignRequest, outcome: Answer['outcome']): SheetCommand => ({
  type: 'sheet.close',
  ref,
  outcome,
});
