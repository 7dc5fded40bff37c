/** The least that each event must hold for its chart: examples of what was never recorded. */
import type { AnyEventObject } from 'xstate';

type Fields = Record<string, unknown>;

const hostKey = { fingerprint: 'SHA256:example', keyType: 'ssh-ed25519' };
const phone = { id: 'example', name: 'phone' };
const identity = {
  fingerprint: 'SHA256:example',
  label: 'example',
  algorithm: 'ecdsa-sha2-nistp256',
  publicKey: '',
};
const endpoint = { address: '192.0.2.1', port: 7022 };
const device = { deviceId: 'example', deviceName: 'headset' };
const request = { requestId: 'example' };
const asked = { host: 'example', port: 22, user: 'example' };

/** Placeholders such as `example` are replaced by what the machine knows (`sample-fitting.ts`). */
const least: Record<string, Fields> = {
  'ssh.resolved': { at: 0, hostname: '192.0.2.2', port: 22, user: 'example' },
  'ssh.hostKeyKnown': { at: 0, ...hostKey },
  'ssh.hostKeyUnknown': { at: 0, ...hostKey },
  'ssh.hostKeyChanged': { at: 0, ...hostKey, known: 'SHA256:another' },
  'ssh.hostKeyRevoked': { at: 0, ...hostKey },
  'ssh.publickeyWanted': { at: 0, methods: ['publickey'] },
  'ssh.publickeyNotOffered': { at: 0, methods: ['password'] },
  'ssh.identityRefused': { at: 0, fingerprint: 'SHA256:example' },
  'ssh.identityAccepted': {
    at: 0,
    fingerprint: 'SHA256:example',
    ...request,
    challengeHash: '',
    code: '00',
  },
  'ssh.permissionDenied': { at: 0, methods: ['publickey'] },
  'ssh.authenticated': { at: 0 },
  'ssh.closed': { at: 0, status: null, signal: null, detail: 'the connection was closed' },
  'ssh.failed': { at: 0, reason: 'hostUnreachable', detail: 'no route' },
  'link.up': { at: 0, phone, identities: [identity] },
  'link.lost': { at: 0 },
  'link.nothingFound': { at: 0 },
  'link.unusable': { at: 0, reason: 'noPhonePaired' },
  'signer.queued': { at: 0, ...request },
  'signer.presented': { at: 0, ...request },
  'signer.unseen': { at: 0, ...request },
  'signer.signed': { at: 0, ...request, signatureHash: '' },
  'signer.denied': { at: 0, ...request, why: 'denied' },
  'signer.expired': { at: 0, ...request },
  'signer.failed': { at: 0, ...request, reason: 'signingFailed' },
  'phones.changed': { phones: [phone], remembered: [endpoint] },
  'peer.found': { instance: 'example', endpoints: [endpoint] },
  'peer.gone': { instance: 'example' },
  'peer.answered': { endpoint, phone },
  'peer.unreachable': { endpoint, detail: 'no route' },
  'peer.refused': { endpoint, reason: 'phoneForgotHeadset' },
  'link.established': { phone, endpoint, protocol: 2, identities: [identity] },
  'link.identitiesChanged': { identities: [identity] },
  'link.dropped': { detail: 'the connection was closed', jitter: 0.5 },
  'link.unpaired': { phone },
  'advertiser.published': { instance: 'example' },
  'advertiser.unavailable': { detail: 'no multicast' },
  'link.opened': { linkId: 'example', ...device },
  'link.closed': { linkId: 'example', detail: 'the connection was closed' },
  'request.received': {
    ref: 'example/example',
    linkId: 'example',
    ...device,
    ...asked,
    code: '00',
    proof: { strength: 'none', host: null, hops: [], why: 'noBind' },
    fingerprint: 'SHA256:example',
    challengeHash: '',
    kind: 'publickey',
    detail: null,
    ttl: 9_750,
    queueTtl: 59_750,
    sheetTtl: 9_750,
  },
  'request.unreadable': {
    ref: 'example/example',
    linkId: 'example',
    deviceName: 'headset',
    host: 'example',
    user: 'example',
    reason: 'requestUnreadable',
  },
  'request.withdrawn': { ref: 'example/example' },
  'request.expired': { ref: 'example/example' },
  'sheet.shown': { ref: 'example/example' },
  'sheet.unseen': { ref: 'example/example' },
  'user.code': { ref: 'example/example', code: '00' },
  'user.pin': { ref: 'example/example', pin: true },
  'user.approve': { ref: 'example/example' },
  'user.deny': { ref: 'example/example' },
  'device.muted': { deviceId: 'example', left: 60_000 },
  'device.unmuted': { deviceId: 'example' },
  'device.cooled': { deviceId: 'example' },
  'pairing.digitsReady': { peerName: 'example', pin: 'example' },
  'pairing.failed': { reason: 'pairingInterrupted' },
  'xstate.done.actor.biometrics': { output: { verdict: 'verified' }, actorId: 'biometrics' },
  'xstate.done.actor.keys': { output: { signatureHash: '' }, actorId: 'keys' },
};

export function minimalEvent(type: string): AnyEventObject {
  const [, actorId] = /^xstate\.error\.actor\.(.+)$/.exec(type) ?? [];
  if (actorId !== undefined)
    return { type, error: { name: 'Error', message: 'it failed' }, actorId };
  return { ...least[type], type };
}
