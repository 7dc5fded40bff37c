import { signerMachine } from '../../../machines/phone/signer.machine.ts';
import type { SignerEvent } from '../../../machines/phone/signer.context.ts';
import { machineModel } from '../../support/transition-coverage.ts';

const enabled = {
  fingerprint: 'SHA256:a',
  label: 'a',
  algorithm: 'p256',
  publicKey: 'AAAA',
  enabled: true,
};
const disabled = { ...enabled, fingerprint: 'SHA256:b', label: 'b', enabled: false };

const received = (ref: string, linkId: string, fingerprint = enabled.fingerprint): SignerEvent => ({
  type: 'request.received',
  ref,
  linkId,
  deviceId: 'device',
  deviceName: 'Headset',
  host: 'host',
  user: 'user',
  fingerprint,
  challengeHash: 'hash',
  kind: 'publickey',
  detail: null,
  ttl: 9_750,
  queueTtl: 59_750,
  sheetTtl: 9_750,
});

const opened = (linkId: string): SignerEvent => ({
  type: 'link.opened',
  linkId,
  deviceId: 'device',
  deviceName: 'Headset',
});

export const model = machineModel({
  machine: signerMachine,
  input: { port: 1, identities: [enabled, disabled] },
  samples: [
    { type: 'advertiser.published', instance: 'instance' },
    { type: 'advertiser.unavailable', detail: 'no multicast' },
    { type: 'identities.changed', identities: [enabled, disabled] },
    { type: 'identities.changed', identities: [disabled] },
    opened('one'),
    opened('two'),
    { type: 'link.closed', linkId: 'one', detail: 'gone' },
    { type: 'link.closed', linkId: 'two', detail: 'gone' },
    received('first', 'one'),
    received('second', 'two'),
    received('unknown', 'one', 'SHA256:c'),
    received('disabled', 'one', disabled.fingerprint),
    { type: 'request.unreadable', ref: 'bad', linkId: 'one', reason: 'requestUnreadable' },
    ...['first', 'second'].flatMap((ref): SignerEvent[] => [
      { type: 'request.withdrawn', ref },
      { type: 'request.expired', ref },
      { type: 'sheet.shown', ref },
      { type: 'user.approve', ref },
      { type: 'user.deny', ref },
    ]),
  ],
  outputs: {
    biometrics: [{ verdict: 'verified' }, { verdict: 'refused' }],
    keys: [{ signatureHash: 'hash' }],
  },
  abstract: ({ links, queue, tries }) => [
    [...new Set(links.map(({ linkId }) => linkId))].toSorted(),
    queue.map(({ ref }) => ref),
    tries,
  ],
  longWays: [
    [opened('one'), ...Array.from({ length: 33 }, (_, i) => received(`request ${i}`, 'one'))],
  ],
});
