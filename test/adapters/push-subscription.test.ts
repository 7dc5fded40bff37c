import { describe, expect, it } from 'vitest';
import { companyOf, readSubscription } from '../../adapters/push/subscription.ts';
import { createVapidKeys, readVapidKeys } from '../../adapters/push/vapid.ts';
import { createPushBrowser } from '../support/push-browser.ts';

const endpoint = 'https://updates.push.services.mozilla.com/wpush/v2/gAAAAABl';
const { subscription } = createPushBrowser(endpoint);

describe('the address of a subscription', () => {
  it.each([
    ['https://web.push.apple.com/QGl3', 'Apple'],
    ['https://api.eu.push.apple.com/3/x', 'Apple'],
    ['https://fcm.googleapis.com/fcm/send/dPq:APA91b_x-y', 'Google'],
    ['https://fcm.googleapis.com/wp/dPq', 'Google'],
    [endpoint, 'Mozilla'],
    ['https://wns2-par02p.notify.windows.com/w/?token=BQYAAAC%3d%3d', 'Microsoft'],
  ])('%s is known', (known, company) => {
    expect(companyOf(known)).toBe(company);
    expect(readSubscription({ ...subscription, endpoint: known })).not.toBeNull();
  });

  it.each([
    'http://web.push.apple.com/x',
    'https://web.push.apple.com:8443/x',
    'https://user@web.push.apple.com/x',
    'https://web.push.apple.com@evil.example/x',
    'https://web.push.apple.com/x#y',
    'https://web.push.apple.com.evil.example/x',
    'https://evilpush.apple.com/x',
    'https://push.apple.com/x',
    'https://apple.com/x',
    'https://web.push.apple.com./x',
    'https://evil.example/?web.push.apple.com',
    'https://evil.example\\.push.apple.com/x',
    'https://www.googleapis.com/x',
    'https://x.fcm.googleapis.com/x',
    'https://FCM.googleapis.com/x',
    'https://fcm.googleapis.com',
    ' https://fcm.googleapis.com/x',
    'https://fcm.google\tapis.com/x',
    'https://fcm.googleapis.com/x y',
    'https://127.0.0.1/x',
    'https://[::1]/x',
    'https://localhost/x',
    'https://192.168.1.1/x',
    'https://169.254.169.254/latest/meta-data',
    'file:///etc/passwd',
    'web.push.apple.com',
    '',
    `https://web.push.apple.com/${'x'.repeat(2000)}`,
  ])('%s is refused', (foreign) => {
    expect(readSubscription({ ...subscription, endpoint: foreign })).toBeNull();
  });
});

describe('a subscription', () => {
  const { keys } = subscription;

  it('is taken whole', () => expect(readSubscription(subscription)).toEqual(subscription));

  it.each([
    ['nothing', null],
    ['a text', endpoint],
    ['no keys', { endpoint }],
    ['more than there is', { ...subscription, expirationTime: null }],
    ['more keys', { endpoint, keys: { ...keys, other: '' } }],
    ['a short secret', { endpoint, keys: { ...keys, auth: 'AAAA' } }],
    ['a padded secret', { endpoint, keys: { ...keys, auth: `${keys.auth}==` } }],
    ['a short point', { endpoint, keys: { ...keys, p256dh: keys.p256dh.slice(0, -4) } }],
    [
      'a point off the curve',
      {
        endpoint,
        keys: { ...keys, p256dh: Buffer.from([4, ...Buffer.alloc(64, 1)]).toString('base64url') },
      },
    ],
  ])('is refused: %s', (_, json) => expect(readSubscription(json)).toBeNull());
});

describe('VAPID keys', () => {
  it('are made, each time others, and read back', () => {
    const keys = createVapidKeys();
    expect(Buffer.from(keys.publicKey, 'base64url')).toHaveLength(65);
    expect(Buffer.from(keys.privateKey, 'base64url')).toHaveLength(32);
    expect(readVapidKeys(JSON.parse(JSON.stringify(keys)))).toEqual(keys);
    expect(createVapidKeys()).not.toEqual(keys);
  });

  it('have 32 bytes also when the first of them are zero', () => {
    const privateKey = Buffer.alloc(32).fill(7, 31);
    const { keys } = createPushBrowser(endpoint, {
      privateKey,
      auth: Buffer.alloc(16),
    }).subscription;
    const pair = { publicKey: keys.p256dh, privateKey: privateKey.toString('base64url') };
    expect(readVapidKeys(pair)).toEqual(pair);
  });

  it('are refused when they are no pair, or no keys', () => {
    const [one, other] = [createVapidKeys(), createVapidKeys()];
    expect(readVapidKeys({ ...one, publicKey: other.publicKey })).toBeNull();
    expect(readVapidKeys({ ...one, privateKey: 'AA' })).toBeNull();
    expect(
      readVapidKeys({ ...one, privateKey: Buffer.alloc(32).toString('base64url') }),
    ).toBeNull();
    expect(readVapidKeys({ ...one, more: 1 })).toBeNull();
    expect(readVapidKeys(null)).toBeNull();
  });
});
