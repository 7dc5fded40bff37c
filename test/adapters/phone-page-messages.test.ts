import { describe, expect, expectTypeOf, it } from 'vitest';
import { isSignedBy } from '../../adapters/phone-page/device-key.ts';
import { readFrame, readPageMessage, readPairRequest } from '../../adapters/phone-page/messages.ts';
import { LARGEST_FRAME, type PageMessage } from '../../adapters/phone-page/protocol.ts';
import { defaultPolicy } from '../../machines/phone/policy.ts';
import { newDeviceKey, signText } from '../support/page-client.ts';

const read = (message: unknown) => readPageMessage(JSON.stringify(message));
const asked = (action: unknown) => read({ type: 'ask', id: 1, action });
const signature = 'A'.repeat(86);
const fingerprint = `SHA256:${'a'.repeat(43)}`;
const assertion = {
  credentialId: 'AAAA',
  clientDataJSON: 'AAAA',
  authenticatorData: 'AAAA',
  signature: 'AAAA',
};
const sealed = {
  v: 1,
  publicKey: 'AAAA',
  salt: 'A'.repeat(43),
  iv: 'A'.repeat(16),
  sealed: 'AAAA',
};
const made = {
  clientDataJSON: 'AAAA',
  authenticatorData: 'AAAA',
  transports: ['internal'],
  attachment: 'platform',
};
const subscription = { endpoint: 'https://push.example/a', keys: { p256dh: 'AA', auth: 'AA' } };

const messages = [
  { type: 'page.visibility', document: 'a1-_', visible: true },
  { type: 'sheet.shown', ref: 'a/1' },
  { type: 'sheet.code', ref: 'a/1', code: '07' },
  { type: 'sheet.pin', ref: 'a/1', pin: true },
  { type: 'sheet.deny', ref: 'a/1' },
  { type: 'sheet.approve', ref: 'a/1' },
  { type: 'sheet.verified', ref: 'a/1', assertion, signature: null },
  { type: 'sheet.verified', ref: 'a/1', assertion, signature: 'AAAA' },
  { type: 'sheet.unverified', ref: 'a/1', why: 'notVerified' },
];

const actions = [
  { do: 'identity.begin', kind: 'passkey', label: 'phone' },
  { do: 'identity.finish', creation: 'c', made, sealed: null },
  { do: 'identity.finish', creation: 'c', made, sealed: { sealed, assertion, proof: signature } },
  { do: 'identity.rename', fingerprint, label: 'phone' },
  { do: 'identity.enable', fingerprint },
  { do: 'identity.disable', fingerprint },
  { do: 'identity.remove', fingerprint },
  { do: 'device.rename', id: 'd', name: 'Headset' },
  { do: 'device.remove', id: 'd' },
  { do: 'device.mute', id: 'd', minutes: 0 },
  { do: 'host.remove', name: 'bench', port: 22 },
  { do: 'policy.set', policy: defaultPolicy },
  { do: 'policy.set', policy: { timeLimit: 30 } },
  { do: 'browser.remove', id: 'b' },
  { do: 'push.on', subscription },
  { do: 'push.off' },
  { do: 'push.test' },
];

describe('what the page says', () => {
  it('is read when it is what the protocol has', () => {
    expectTypeOf(readPageMessage).returns.toEqualTypeOf<PageMessage | null>();
    for (const message of messages) expect(read(message)).toEqual(message);
    for (const action of actions) expect(asked(action)).toEqual({ type: 'ask', id: 1, action });
  });

  it('is not read with a member too many, too few, or of another type', () => {
    const all = [...messages, ...actions.map((action) => ({ type: 'ask', id: 1, action }))];
    for (const message of all) {
      expect(read({ ...message, more: 1 })).toBeNull();
      for (const name of Object.keys(message)) {
        const { [name]: _, ...rest } = message as Record<string, unknown>;
        expect(read(rest)).toBeNull();
        expect(read({ ...message, [name]: { x: 1 } })).toBeNull();
      }
    }
    for (const action of actions) {
      expect(asked({ ...action, more: 1 })).toBeNull();
      for (const name of Object.keys(action)) {
        const { [name]: _, ...rest } = action as Record<string, unknown>;
        expect(asked(rest)).toBeNull();
      }
    }
  });

  it.each<[string, unknown]>([
    ['a label of 65', { do: 'identity.begin', kind: 'passkey', label: 'x'.repeat(65) }],
    ['no label', { do: 'identity.begin', kind: 'passkey', label: '' }],
    ['a fingerprint that is none', { do: 'identity.remove', fingerprint: 'SHA256:x' }],
    ['an id of 101', { do: 'device.remove', id: 'x'.repeat(101) }],
    ['minutes below none', { do: 'device.mute', id: 'd', minutes: -1 }],
    ['a part of a minute', { do: 'device.mute', id: 'd', minutes: 0.5 }],
    ['a port past the last', { do: 'host.remove', name: 'x', port: 65_536 }],
    ['101 hosts', { do: 'policy.set', policy: { ...defaultPolicy, listed: Array(101).fill('x') } }],
    ['a long host', { do: 'policy.set', policy: { ...defaultPolicy, listed: ['x'.repeat(256)] } }],
    [
      'a time limit past the longest',
      { do: 'policy.set', policy: { ...defaultPolicy, timeLimit: 121 } },
    ],
    [
      'push to http',
      { do: 'push.on', subscription: { ...subscription, endpoint: 'http://x.example' } },
    ],
    ['push to a file', { do: 'push.on', subscription: { ...subscription, endpoint: 'file:///x' } }],
    [
      'a long endpoint',
      {
        do: 'push.on',
        subscription: { ...subscription, endpoint: `https://x/${'x'.repeat(2000)}` },
      },
    ],
  ])('is not read with %s', (_what, action) => {
    expect(asked(action)).toBeNull();
  });

  it('has room for the longest challenge of the link, and for no frame that is longer', () => {
    const challenge = Buffer.alloc((44 * 1024 * 3) / 4).toString('base64url');
    const origin = `https://${'x'.repeat(63)}.example:47823`;
    const said = { type: 'webauthn.get', challenge, origin, crossOrigin: false };
    const clientDataJSON = Buffer.from(JSON.stringify(said)).toString('base64url');
    const credentialId = 'A'.repeat(171);
    const message = {
      type: 'sheet.verified',
      ref: 'a'.repeat(100),
      assertion: { ...assertion, credentialId, clientDataJSON },
      signature: null,
    };
    const frame = JSON.stringify({ seq: 1, body: JSON.stringify(message), signature });
    expect(frame.length).toBeLessThanOrEqual(LARGEST_FRAME);
    expect(readPageMessage(readFrame(frame)?.body ?? '')).toEqual(message);
    expect(
      readFrame(JSON.stringify({ seq: 1, body: ' '.repeat(64 * 1024), signature })),
    ).toBeNull();
  });

  it.each([0, -1, 1.5, 2 ** 53, '1', null])('is in no frame of number %s', (seq) => {
    expect(readFrame(JSON.stringify({ seq, body: '{}', signature }))).toBeNull();
  });

  it.each(['', 'abcd2345', 'ABCD234', 'ABCD23456', 'ABCD-345', 'ABCDEFGI', 'ABCDEFGU'])(
    'is no pairing by a code like %s',
    (code) => {
      const request = { name: 'x', publicKey: 'A'.repeat(87), signature };
      expect(readPairRequest(JSON.stringify({ ...request, code: 'ABCD2345' }))).not.toBeNull();
      expect(readPairRequest(JSON.stringify({ ...request, code }))).toBeNull();
    },
  );
});

describe('a device key', () => {
  const device = newDeviceKey();
  const point = Buffer.from(device.publicKey, 'base64url');
  const signed = signText(device, 'text');

  it('is known by what it signs, and by nothing else', () => {
    expect(isSignedBy(device.publicKey, 'text', signed)).toBe(true);
    expect(isSignedBy(device.publicKey, 'text ', signed)).toBe(false);
    expect(isSignedBy(newDeviceKey().publicKey, 'text', signed)).toBe(false);
    const rs = Buffer.from(signed, 'base64url');
    for (const at of [0, 31, 32, 63]) {
      const changed = Buffer.from(rs);
      changed[at]! ^= 1;
      expect(isSignedBy(device.publicKey, 'text', changed.toString('base64url'))).toBe(false);
    }
    for (const length of [0, 63]) {
      const cut = rs.subarray(0, length).toString('base64url');
      expect(isSignedBy(device.publicKey, 'text', cut)).toBe(false);
    }
    expect(isSignedBy(device.publicKey, 'text', Buffer.alloc(64).toString('base64url'))).toBe(
      false,
    );
  });

  it('is a point of the curve, whole and uncompressed', () => {
    const off = Buffer.from(point);
    off[64]! ^= 1;
    const compressed = Buffer.concat([Buffer.of(2), point.subarray(1, 33)]);
    const other = Buffer.concat([Buffer.of(6), point.subarray(1)]);
    const infinity = Buffer.concat([Buffer.of(4), Buffer.alloc(64)]);
    for (const wrong of [
      off,
      compressed,
      other,
      infinity,
      point.subarray(0, 64),
      Buffer.alloc(0),
    ]) {
      expect(isSignedBy(wrong.toString('base64url'), 'text', signed)).toBe(false);
    }
  });
});
