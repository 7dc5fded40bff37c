/** Stories of the headset: one connection, or one signature for another program. */
import { connectionMachine } from '../../machines/headset/connection.machine.ts';
import type { ConnectionEvent, ConnectionInput } from '../../machines/headset/connection.setup.ts';
import { signingMachine, type SigningInput } from '../../machines/headset/signing.machine.ts';
import type {
  SignerLinkCommand,
  SignerLinkFact,
  SignerLinkInput,
  SshCommand,
  SshFact,
  SshInput,
} from '../../machines/headset/ports.ts';
import type { Phone, PublicIdentity } from '../../machines/ports.ts';
import { play, words, type Fields } from './story-play.ts';
import { recordingPort } from './story-ports.ts';

export const iphone: Phone = { id: 'phone-1', name: 'Ada’s iPhone' };
export const otherPhone: Phone = { id: 'phone-2', name: 'Old iPhone' };

/** An identity whose fingerprint is told from its label. */
export function identity(label: string): PublicIdentity {
  return {
    fingerprint: `SHA256:${label}`,
    label,
    algorithm: 'ecdsa-sha2-nistp256',
    publicKey: `blob-of-${label}`,
  };
}

export const work = identity('work');
export const home = identity('home');

type PersonEvent = Extract<ConnectionEvent, { type: `user.${string}` }>['type'];

/** A connection to `server.example` that nobody has asked for yet. */
export function connect(
  options: Partial<ConnectionInput> = {},
  broken: { ssh?: boolean; link?: boolean } = {},
) {
  const ssh = recordingPort<SshCommand, SshInput>({ broken: broken.ssh ?? false });
  const link = recordingPort<SignerLinkCommand, SignerLinkInput>({ broken: broken.link ?? false });
  const machine = connectionMachine.provide({ actors: { ssh: ssh.logic, link: link.logic } });
  const played = play(machine, {
    flowId: 'flow-1',
    host: 'server.example',
    port: null,
    user: null,
    preferred: null,
    ...options,
  });
  const { actor, clock, context } = played;
  const tell = (fact: { type: string }) =>
    actor.send({ ...fact, at: clock.now() } as ConnectionEvent);
  return {
    ...played,
    ports: { ssh, link },
    sent: { ssh: ssh.sent, link: link.sent },
    person: (type: PersonEvent) => actor.send({ type }),
    ssh: <Type extends SshFact['type']>(type: Type, ...[fields]: Fields<SshFact, Type>) =>
      tell({ type, ...fields }),
    phone: <Type extends SignerLinkFact['type']>(
      type: Type,
      ...[fields]: Fields<SignerLinkFact, Type>
    ) => tell({ type, ...fields }),
    words: () => words(context().reason),
  };
}

export type ConnectionStory = ReturnType<typeof connect>;

/** Steps 1 and 2: connecting, and nothing heard yet. */
export function justConnecting(): ConnectionStory {
  const story = connect();
  story.person('user.connect');
  return story;
}

/** Steps 1 to 3: the server asks for an authentication signature. */
export function untilWanted(story = connect()): ConnectionStory {
  story.person('user.connect');
  story.ssh('ssh.resolved', { hostname: '192.0.2.7', port: 22, user: 'ada' });
  story.ssh('ssh.hostKeyKnown', { fingerprint: 'SHA256:host', keyType: 'ssh-ed25519' });
  story.ssh('ssh.publickeyWanted', { methods: ['publickey'] });
  return story;
}

/** The phone is linked, and the server is asked which of its identities it accepts. */
export function untilOffering(story = connect()): ConnectionStory {
  untilWanted(story);
  story.phone('link.up', { phone: iphone, identities: [work, home] });
  return story;
}

/** Step 5: the server accepts `work`, and the challenge goes to the phone. */
export function untilSent(story = connect()): ConnectionStory {
  untilOffering(story);
  story.ssh('ssh.identityAccepted', {
    fingerprint: work.fingerprint,
    requestId: 'request-1',
    challengeHash: 'hash-1',
    code: '42',
  });
  return story;
}

/** Step 6: the sheet is in front of the person. */
export function untilShown(story = connect()): ConnectionStory {
  untilSent(story);
  story.phone('signer.presented', { requestId: 'request-1' });
  return story;
}

/** Step 8: the signature was handed to the server. */
export function untilSigned(story = connect()): ConnectionStory {
  untilShown(story);
  story.phone('signer.signed', { requestId: 'request-1', signatureHash: 'signature-1' });
  return story;
}

/** Step 9: logged in. */
export function untilConnected(story = connect()): ConnectionStory {
  untilSigned(story);
  story.ssh('ssh.authenticated');
  return story;
}

/** A program asked the agent socket for one signature by `work`. */
export function sign(options: Partial<SigningInput> = {}, broken: { link?: boolean } = {}) {
  const link = recordingPort<SignerLinkCommand, SignerLinkInput>({ broken: broken.link ?? false });
  const machine = signingMachine.provide({ actors: { link: link.logic } });
  const played = play(machine, {
    flowId: 'flow-1',
    requestId: 'request-1',
    fingerprint: work.fingerprint,
    challengeHash: 'hash-1',
    host: 'server.example',
    port: 22,
    user: 'ada',
    code: '42',
    at: 0,
    ...options,
  });
  const { actor, clock, context } = played;
  return {
    ...played,
    ports: { link },
    sent: { link: link.sent },
    askerGoes: () => actor.send({ type: 'asker.gone' }),
    phone: <Type extends SignerLinkFact['type']>(
      type: Type,
      ...[fields]: Fields<SignerLinkFact, Type>
    ) => actor.send({ type, ...fields, at: clock.now() } as unknown as SignerLinkFact),
    words: () => words(context().reason),
  };
}

export type SigningStory = ReturnType<typeof sign>;

// ── the exact commands ───────────────────────────────────────────────────────────────────────────

export const wanted: SignerLinkCommand = { type: 'link.want' };

export function offered(...identities: PublicIdentity[]): SshCommand {
  return { type: 'ssh.offer', identities };
}

/** The request of these stories; `ttl` is what is left of ten seconds unless said otherwise. */
export function requested(
  fields: Partial<Extract<SignerLinkCommand, { type: 'link.send' }>> = {},
): SignerLinkCommand {
  return {
    type: 'link.send',
    requestId: 'request-1',
    fingerprint: 'SHA256:work',
    phoneId: 'phone-1',
    host: 'server.example',
    port: 22,
    user: 'ada',
    code: '42',
    ttl: 9_750,
    queueTtl: 59_750,
    sheetTtl: 9_750,
    ...fields,
  };
}

export const withdrawn: SignerLinkCommand = { type: 'link.withdraw', requestId: 'request-1' };

export const handedOver: SshCommand = { type: 'ssh.handOver', requestId: 'request-1' };
