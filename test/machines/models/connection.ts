import { connectionMachine } from '../../../machines/headset/connection.machine.ts';
import { machineModel } from '../../support/transition-coverage.ts';

const at = 0;
const phone = { id: 'phone', name: 'Phone' };
const identity = { fingerprint: 'SHA256:a', label: 'a', algorithm: 'p256', publicKey: 'AAAA' };
const hostKey = { at, fingerprint: 'SHA256:h', keyType: 'ssh-ed25519' };
const requestId = 'request';

export const model = machineModel({
  machine: connectionMachine,
  input: { flowId: 'flow', host: 'host', port: null, user: null, preferred: null },
  samples: [
    { type: 'ssh.resolved', at, hostname: 'host', port: 22, user: 'user' },
    { type: 'ssh.hostKeyKnown', ...hostKey },
    { type: 'ssh.hostKeyUnknown', ...hostKey },
    { type: 'ssh.hostKeyChanged', ...hostKey, known: 'SHA256:k' },
    { type: 'ssh.hostKeyRevoked', ...hostKey },
    { type: 'ssh.publickeyWanted', at, methods: ['publickey'] },
    { type: 'ssh.publickeyNotOffered', at, methods: ['password'] },
    { type: 'ssh.identityRefused', at, fingerprint: 'SHA256:a' },
    {
      type: 'ssh.identityAccepted',
      at,
      fingerprint: 'SHA256:a',
      requestId,
      challengeHash: 'hash',
      code: '42',
    },
    { type: 'ssh.permissionDenied', at, methods: ['publickey'] },
    { type: 'ssh.authenticated', at },
    { type: 'ssh.closed', at, status: 0, signal: null, detail: '' },
    { type: 'ssh.closed', at, status: null, signal: null, detail: 'reset' },
    { type: 'ssh.failed', at, reason: 'connectionRefused', detail: 'refused' },
    { type: 'link.up', at, phone, identities: [identity] },
    { type: 'link.up', at, phone, identities: [] },
    { type: 'link.lost', at },
    { type: 'link.nothingFound', at },
    { type: 'link.unusable', at, reason: 'noPhonePaired' },
    { type: 'signer.queued', at, requestId },
    { type: 'signer.presented', at, requestId },
    { type: 'signer.unseen', at, requestId },
    { type: 'signer.signed', at, requestId, signatureHash: 'hash' },
    { type: 'signer.denied', at, requestId, why: 'denied' },
    { type: 'signer.expired', at, requestId },
    { type: 'signer.failed', at, requestId, reason: 'signingFailed' },
  ],
  abstract: ({ phone, identities, wasLinked, request, refused }) => [
    phone !== null,
    identities.length,
    wasLinked,
    request && [request.phoneId, request.outstanding],
    Math.min(refused.length, 1),
  ],
});
