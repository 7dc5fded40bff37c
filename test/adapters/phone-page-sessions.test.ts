import { describe, expect, it } from 'vitest';
import { createSessions } from '../../adapters/phone-page/sessions.ts';

/** On https, with a clock that the test moves. */
function begun(origin = 'https://signer-test.local:47823') {
  const clock = { now: 0 };
  return { clock, sessions: createSessions(origin, () => clock.now) };
}

const cookieOf = (header: string) => header.slice(0, header.indexOf(';'));

describe('a nonce', () => {
  it('is 32 bytes, never the same, and good for one time', () => {
    const { sessions } = begun();
    const [one, other] = [sessions.newNonce(), sessions.newNonce()];
    expect(Buffer.from(one, 'base64url')).toHaveLength(32);
    expect(one).not.toBe(other);
    expect([one, one, other].map((nonce) => sessions.redeemNonce(nonce))).toEqual([
      true,
      false,
      true,
    ]);
  });

  it('is too old after a minute', () => {
    const { clock, sessions } = begun();
    const [fresh, stale] = [sessions.newNonce(), sessions.newNonce()];
    clock.now = 59_999;
    expect(sessions.redeemNonce(fresh)).toBe(true);
    clock.now = 60_000;
    expect(sessions.redeemNonce(stale)).toBe(false);
  });

  it('goes when a thousand others were asked for', () => {
    const { sessions } = begun();
    const first = sessions.newNonce();
    const rest = Array.from({ length: 1000 }, () => sessions.newNonce());
    expect(sessions.redeemNonce(first)).toBe(false);
    expect(rest.every((nonce) => sessions.redeemNonce(nonce))).toBe(true);
  });
});

describe('a cookie', () => {
  it('is for TLS, for scripts of nobody, for this site and host alone', () => {
    const { sessions } = begun();
    const [pair = '', ...attributes] = sessions.begin('a').split('; ');
    expect(pair).toMatch(/^__Host-signer=[\w-]{43}$/);
    expect(attributes.toSorted()).toEqual([
      'HttpOnly',
      expect.stringMatching(/^Max-Age=\d+$/),
      'Path=/',
      'SameSite=Strict',
      'Secure',
    ]);
  });

  it('has the port in its name on localhost', () => {
    const { sessions } = begun('http://localhost:4000');
    expect(sessions.begin('a')).toMatch(/^signer-4000=[\w-]{43}; (?!.*Secure)/);
  });

  it('says which browser it is, among the cookies of others, and only whole', () => {
    const { sessions } = begun();
    const [a, b] = [cookieOf(sessions.begin('a')), cookieOf(sessions.begin('b'))];
    expect(sessions.browserOf(a)).toBe('a');
    expect(sessions.browserOf(`theme=dark; ${b}; x`)).toBe('b');
    const [, secret = ''] = a.split('=');
    for (const wrong of [
      undefined,
      '',
      secret,
      `__Host-signer=`,
      `__Host-signer=${secret.slice(1)}`,
      `__Host-signer=${secret}A`,
      `__host-signer=${secret}`,
      `signer=${secret}`,
    ]) {
      expect({ wrong, browser: sessions.browserOf(wrong) }).toEqual({ wrong, browser: null });
    }
  });

  it('is void from the moment that its browser is unpaired, and no other is', () => {
    const { sessions } = begun();
    const cookies = ['a', 'a', 'b'].map((id) => cookieOf(sessions.begin(id)));
    expect(sessions.browsers()).toEqual(['a', 'b']);
    sessions.end('a');
    expect(cookies.map((cookie) => sessions.browserOf(cookie))).toEqual([null, null, 'b']);
    expect(sessions.browsers()).toEqual(['b']);
  });

  it('is void when it is as old as it says itself', () => {
    const { clock, sessions } = begun();
    const header = sessions.begin('a');
    const age = Number(/Max-Age=(\d+)/.exec(header)?.[1]);
    clock.now = age * 1000 - 1;
    expect(sessions.browserOf(cookieOf(header))).toBe('a');
    clock.now += 1;
    expect(sessions.browserOf(cookieOf(header))).toBeNull();
  });

  it('is one of a thousand at most', () => {
    const { sessions } = begun();
    const first = cookieOf(sessions.begin('first'));
    for (let i = 0; i < 1000; i++) sessions.begin('other');
    expect(sessions.browserOf(first)).toBeNull();
    expect(sessions.browsers()).toEqual(['other']);
  });
});
