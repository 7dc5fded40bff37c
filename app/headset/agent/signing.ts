/** One sign request of the agent socket: a signing machine, from the asker to its signature. */
import { createHash, randomInt, randomUUID } from 'node:crypto';
import type { Actor, SnapshotFrom } from 'xstate';
import type { AgentSignRequest } from '../../../adapters/agent/agent-server.ts';
import type { LoginNotes } from '../../../adapters/agent/login-notes.ts';
import { readUserCertificate } from '../../../adapters/keys/certificate.ts';
import { readSignData } from '../../../adapters/keys/sign-data.ts';
import type { RequestVault } from '../../../adapters/ssh/request-vault.ts';
import type { FailureReason } from '../../../machines/failures.ts';
import { signingMachine } from '../../../machines/headset/signing.machine.ts';
import type { PublicIdentity } from '../../../machines/ports.ts';
import type { Running } from '../../running.ts';
import type { PhoneLink } from '../phone-link.ts';
import { rememberHostLogin } from '../records.ts';
import { askerOf } from './asker.ts';

/** A server waits two minutes for a login (sshd's LoginGraceTime). Milliseconds. */
const QUEUE_PATIENCE = 110_000;

export interface AgentSigningParts {
  running: Running;
  phoneLink: PhoneLink;
  vault: RequestVault;
  notes: LoginNotes;
  identities: () => PublicIdentity[];
  tell: (about: Asked, news: SigningNews) => void;
}

/** It begins, is up where nobody looks, or has ended so. */
export type SigningNews = 'waits' | 'asleep' | 'signed' | FailureReason;

/** What a person has to know of a request. Host and user are foreign text. */
export interface Asked {
  /** Empty for a signature that is no login. */
  user: string;
  /** Empty when nobody named it. */
  host: string;
  label: string;
  code: string;
}

/** For `AgentServerOptions.sign`. */
export function createAgentSigning(parts: AgentSigningParts) {
  const { running, phoneLink, vault, notes, tell } = parts;

  return async (request: AgentSignRequest): Promise<Uint8Array | null> => {
    const { connection, keyBlob, data } = request;
    const asker = askerOf(connection);
    const read = readSignData(data);
    const user = read === null || read.kind === 'sshsig' ? '' : read.user;
    const identity = identityOf(parts.identities(), keyBlob);
    const hostKeyFingerprint = asker.hostKey;
    const note =
      user === '' || hostKeyFingerprint === null ? null : notes.take({ hostKeyFingerprint, user });
    const asked: Asked = {
      user,
      host: note?.host ?? '',
      label: identity?.label ?? '',
      code: note?.code ?? String(randomInt(100)).padStart(2, '0'),
    };
    const refuse = (reason: FailureReason) => {
      tell(asked, reason);
      return null;
    };
    if (connection.bindFailed) return refuse('bindRefused');
    if (read === null) return refuse('requestUnreadable');
    if (identity === null) return refuse('identityUnknown');
    if (connection.gone.aborted) return null;

    const requestId = randomUUID();
    vault.putChallenge(requestId, data, connection.binds);
    const signing = running.start(
      'signing',
      signingMachine.provide({ actors: { link: phoneLink.port } }),
      {
        flowId: randomUUID(),
        requestId,
        fingerprint: identity.fingerprint,
        challengeHash: createHash('sha256').update(data).digest('hex'),
        host: asked.host,
        port: note?.port ?? 0,
        user,
        code: asked.code,
        at: performance.now(),
        queueTimeout: QUEUE_PATIENCE,
      },
    );
    tell(asked, 'waits');
    let wasAsleep = false;
    signing.actor.subscribe((snapshot) => {
      const isAsleep = snapshot.matches({ asking: { awaitingSigner: 'phoneAsleep' } });
      if (isAsleep && !wasAsleep) tell(asked, 'asleep');
      wasAsleep = isAsleep;
    });
    const leave = () => void signing.deliver({ type: 'asker.gone' });
    connection.gone.addEventListener('abort', leave, { once: true });
    try {
      const { value, context } = await ended(signing.actor);
      if (value !== 'signed') return refuse(context.reason ?? 'internalError');
      const signature = vault.takeSignature(requestId);
      if (signature === null) return refuse('badSignature');
      if (user !== '' && hostKeyFingerprint !== null) {
        rememberHostLogin(running.log, hostKeyFingerprint, identity.fingerprint);
      }
      tell(asked, 'signed');
      return signature;
    } finally {
      connection.gone.removeEventListener('abort', leave);
      vault.erase(requestId);
    }
  };
}

/** Its last state; a program that halts never gets there. */
function ended(actor: Actor<typeof signingMachine>): Promise<SnapshotFrom<typeof signingMachine>> {
  return new Promise((resolve) => {
    const look = () => {
      if (actor.getSnapshot().status === 'done') resolve(actor.getSnapshot());
    };
    actor.subscribe({ next: look, complete: look });
    look();
  });
}

/** By the key, or by the key inside a user certificate. */
function identityOf(all: PublicIdentity[], keyBlob: Buffer): PublicIdentity | null {
  const plain = readUserCertificate(keyBlob)?.keyBlob ?? keyBlob;
  const publicKey = plain.toString('base64');
  return all.find((identity) => identity.publicKey === publicKey) ?? null;
}
