import { signerMachine } from '../../../machines/phone/signer.machine.ts';
import type { Proof } from '../../../machines/phone/ports.ts';
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

/** Of a host whose key is pinned under another name: it may be pinned, and no code is typed. */
const boundTo = (key: string): Proof => ({
  strength: 'bound',
  host: { fingerprint: key, keyType: 'ssh-ed25519', certificate: null },
  hops: [],
  why: null,
});
const known = 'SHA256:k';
const knownKey = { fingerprint: known, keyType: 'ssh-ed25519' };
const other = 'SHA256:o';

/** By a host that is not known: the code has to be typed. */
const vouched: Proof = { ...boundTo(other), strength: 'vouched' };

const received = (
  ref: string,
  linkId: string,
  proof: Proof,
  fingerprint = enabled.fingerprint,
): SignerEvent => ({
  type: 'request.received',
  ref,
  linkId,
  deviceId: 'device',
  deviceName: 'Headset',
  host: 'host',
  port: 22,
  code: '42',
  proof,
  user: 'user',
  fingerprint,
  challengeHash: 'hash',
  kind: proof.strength === 'bound' ? 'hostbound' : 'publickey',
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
  input: {
    port: 1,
    identities: [enabled, disabled],
    pins: [{ ...knownKey, name: 'alias', port: 22, isCa: false, since: 1 }],
  },
  samples: [
    { type: 'advertiser.published', instance: 'instance' },
    { type: 'advertiser.unavailable', detail: 'no multicast' },
    { type: 'settings.changed', identities: [enabled, disabled] },
    { type: 'settings.changed', identities: [disabled] },
    { type: 'device.muted', deviceId: 'device', left: 60_000 },
    { type: 'device.muted', deviceId: 'another', left: 60_000 },
    { type: 'device.unmuted', deviceId: 'another' },
    { type: 'device.cooled', deviceId: 'another' },
    opened('one'),
    opened('two'),
    { type: 'link.closed', linkId: 'one', detail: 'gone' },
    { type: 'link.closed', linkId: 'two', detail: 'gone' },
    received('first', 'one', boundTo(known)),
    received('second', 'two', vouched),
    received('unknown', 'one', boundTo(other), 'SHA256:c'),
    received('disabled', 'one', boundTo(known), disabled.fingerprint),
    {
      type: 'request.unreadable',
      ref: 'bad',
      linkId: 'one',
      deviceName: 'Headset',
      host: 'host',
      user: 'user',
      reason: 'requestUnreadable',
    },
    ...['first', 'second'].flatMap((ref): SignerEvent[] => [
      { type: 'request.withdrawn', ref },
      { type: 'request.expired', ref },
      { type: 'sheet.shown', ref },
      { type: 'sheet.unseen', ref },
      { type: 'user.code', ref, code: '42' },
      { type: 'user.code', ref, code: '17' },
      { type: 'user.pin', ref, pin: true },
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
});
