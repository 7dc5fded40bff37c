/** Stories of the phone. */
import { signerMachine } from '../../machines/phone/signer.machine.ts';
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
  ListenerCommand,
  SheetCommand,
  SigningInput,
  Signing,
  SignRequest,
  Verification,
} from '../../machines/phone/ports.ts';
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

/** A request of the first headset, over its first link, for the identity `work`. */
export function request(fields: Partial<SignRequest> = {}): SignRequest {
  return {
    ref: 'headset-1/request-1',
    linkId: 'link-1',
    deviceId: 'headset-1',
    deviceName: 'Vision Pro',
    host: 'server.example',
    user: 'ada',
    fingerprint: 'SHA256:work',
    challengeHash: 'hash-1',
    kind: 'publickey',
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
});
/** From another headset, over its own link. */
export const foreign = request({
  ref: 'headset-2/request-1',
  linkId: 'link-2',
  deviceId: 'headset-2',
  deviceName: 'Laptop',
  challengeHash: 'hash-3',
});

/** The phone, awake, holding `work` and `home`, with no headset linked. */
export function phone(
  options: Partial<SignerInput> = {},
  broken: { listener?: boolean; sheet?: boolean } = {},
) {
  const advertiser = new Subject<AdvertiseFact>();
  const listener = recordingPort<ListenerCommand, undefined>({ broken: broken.listener ?? false });
  const sheet = recordingPort<SheetCommand, undefined>({ broken: broken.sheet ?? false });
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
        biometrics: biometrics.logic,
        keys: keys.logic,
      },
    }),
    { port: 4_022, identities: [enabled('work'), enabled('home')], ...options },
  );
  const { actor } = played;
  const send = (event: SignerEvent) => actor.send(event);
  return {
    ...played,
    advertiser,
    advertised,
    ports: { listener, sheet },
    sent: { listener: listener.sent, sheet: sheet.sent },
    biometrics,
    keys,
    send,
    linked: (linkId: string, deviceId: string) =>
      send({ type: 'link.opened', linkId, deviceId, deviceName: 'Vision Pro' }),
    unlinked: (linkId: string) => send({ type: 'link.closed', linkId, detail: 'gone' }),
    asks: (asked: SignRequest) => send({ type: 'request.received', ...asked }),
    shown: (ref: string) => send({ type: 'sheet.shown', ref }),
    taps: (type: 'user.approve' | 'user.deny', ref: string) => send({ type, ref }),
    refs: () => played.context().queue.map(({ ref }) => ref),
  };
}

export type PhoneStory = ReturnType<typeof phone>;

/** Two headsets are linked, and the first asks. The sheet has just changed. */
export function untilAsked(story = phone()): PhoneStory {
  story.linked('link-1', 'headset-1');
  story.linked('link-2', 'headset-2');
  story.asks(first);
  story.shown(first.ref);
  return story;
}

/** The person can answer the first request. */
export function untilDeciding(story = phone()): PhoneStory {
  untilAsked(story);
  story.wait(700);
  return story;
}

/** The person approved it. */
export function untilVerifying(story = phone()): PhoneStory {
  untilDeciding(story);
  story.taps('user.approve', first.ref);
  return story;
}

/** The person was verified. */
export async function untilSigning(story = phone()): Promise<PhoneStory> {
  untilVerifying(story);
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

/** The sheet of a request for the identity `work`, alone and fresh unless said otherwise. */
export const shows = (
  { ref, deviceName, host, user, fingerprint, kind, detail, ttl }: SignRequest,
  fields: { ttl?: number; waiting?: number; label?: string } = {},
): SheetCommand => ({
  type: 'sheet.show',
  ref,
  deviceName,
  host,
  user,
  label: 'work',
  fingerprint,
  kind,
  detail,
  ttl,
  waiting: 0,
  ...fields,
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
