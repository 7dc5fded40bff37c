import { signingMachine } from '../../../machines/headset/signing.machine.ts';
import { machineModel } from '../../support/transition-coverage.ts';

const at = 0;
const phone = { id: 'phone', name: 'Phone' };
const identity = { fingerprint: 'SHA256:a', label: 'a', algorithm: 'p256', publicKey: 'AAAA' };
const requestId = 'request';

export const model = machineModel({
  machine: signingMachine,
  input: {
    at,
    flowId: 'flow',
    requestId,
    fingerprint: 'SHA256:a',
    challengeHash: 'hash',
    host: 'host',
    port: 22,
    user: 'user',
    code: '42',
  },
  samples: [
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
  abstract: ({ phone, identities, wasLinked, request }) => [
    phone !== null,
    identities.length,
    wasLinked,
    request && [request.phoneId, request.outstanding],
  ],
});
