import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  certificateFacts,
  createAuthority,
  issueLeaf,
} from '../../adapters/certificates/authority.ts';
import { profileFor } from '../../adapters/certificates/profile.ts';
import { openEventLog, type EventLog } from '../../adapters/event-log/store.ts';
import {
  certificateFor,
  certificateWarning,
  forgetCertificates,
} from '../../app/phone/web/authority-files.ts';
import { admit, invite, isInvitationOpen } from '../../app/phone/web/invitation.ts';
import { pairedBrowsers } from '../../app/phone/web/browsers.ts';
import {
  choosePlace,
  forgetPlace,
  keepPlace,
  originOf,
  placeOf,
  type Place,
} from '../../app/phone/web/place.ts';

const DAY = 24 * 3600 * 1000;
const HOST = 'signer-ab12.local';
const own = { host: HOST, port: 47_823, certificate: { kind: 'own' } } as const;

const warning = (daysLeft: number) => certificateWarning(daysLeft * DAY, 0);

let home: string;
let log: EventLog;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'vmux-place-'));
  log = openEventLog(join(home, 'events.db'));
});
afterEach(() => {
  log.close();
  rmSync(home, { recursive: true });
});

/** As a start that succeeds has it. */
function placed(wanted: Parameters<typeof choosePlace>[1] = {}): Place {
  const place = choosePlace(log, wanted);
  keepPlace(log, place);
  return place;
}

describe('the place of the page', () => {
  it('is a random local name at the first start, and the same ever after', () => {
    const place = placed();
    expect(place).toEqual({
      host: expect.stringMatching(/^signer-[a-z2-7]{4}\.local$/),
      port: 47_823,
      certificate: { kind: 'own' },
    });
    expect(placed()).toEqual(place);
    expect(placed({ name: place.host, port: place.port })).toEqual(place);
    expect(originOf(place)).toBe(`https://${place.host}:47823`);
    expect([...log.read('web/this-phone')]).toHaveLength(1);
  });

  it.each([{ name: 'other.local' }, { port: 1234 }, { name: 'localhost' }])(
    'is not changed by a later wish: %o',
    (wanted) => {
      placed({ name: HOST });
      expect(() => choosePlace(log, wanted)).toThrow('signer web forget');
      expect(placeOf(log)).toEqual(own);
    },
  );

  it('is chosen anew after it was forgotten', () => {
    placed({ name: HOST });
    forgetPlace(log);
    expect(placeOf(log)).toBeNull();
    expect(placed({ name: 'localhost', port: 8080 })).toEqual({
      host: 'localhost',
      port: 8080,
      certificate: { kind: 'none' },
    });
    expect(originOf(placeOf(log)!)).toBe('http://localhost:8080');
  });

  it.each([
    { name: '192.168.1.2' },
    { name: 'Signer.local' },
    { name: 'a b' },
    { name: '' },
    { name: 'x.example', cert: 'only.pem' },
    { name: 'localhost', cert: 'cert.pem', key: 'key.pem' },
  ])('is none of these: %o', (wanted) => {
    expect(() => choosePlace(log, wanted)).toThrow();
    expect(placeOf(log)).toBeNull();
  });

  it('has no port in its origin where it is the usual one', () => {
    expect(originOf({ host: 'x.example', port: 443, certificate: { kind: 'own' } })).toBe(
      'https://x.example',
    );
  });
});

describe('the certificate of the page', () => {
  it('is made with its authority once, in files that nobody else reads', async () => {
    const first = await certificateFor(home, own);
    const again = await certificateFor(home, own);
    expect(again).toEqual(first);
    for (const name of ['authority.json', 'leaf.json']) {
      expect(statSync(join(home, 'web', name)).mode & 0o777).toBe(0o600);
    }
    const leaf = new X509Certificate(first.cert);
    const authority = new X509Certificate(first.authority!.certificatePem);
    expect(leaf.verify(authority.publicKey)).toBe(true);
    expect(leaf.checkHost(HOST)).toBe(HOST);
    expect(authority.ca).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(first.authority!.sha256).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBeLessThanOrEqual(
      398 * DAY,
    );
  });

  it('is renewed by the same authority when less than 60 days are left', async () => {
    const first = await certificateFor(home, own);
    const day = (left: number) => first.notAfter - left * DAY;
    expect((await certificateFor(home, own, day(61))).cert).toBe(first.cert);
    const renewed = await certificateFor(home, own, day(59));
    expect(renewed.cert).not.toBe(first.cert);
    expect(renewed.authority).toEqual(first.authority);
    expect(renewed.notAfter).toBeGreaterThan(first.notAfter + 300 * DAY);
    expect((await certificateFor(home, own, day(59))).cert).toBe(renewed.cert);
  });

  it('is made anew when its authority was', async () => {
    await certificateFor(home, own);
    rmSync(join(home, 'web/authority.json'));
    const { cert, authority } = await certificateFor(home, own);
    const { publicKey } = new X509Certificate(authority!.certificatePem);
    expect(new X509Certificate(cert).verify(publicKey)).toBe(true);
  });

  it('is never made for another name by the same authority', async () => {
    await certificateFor(home, own);
    await expect(certificateFor(home, { ...own, host: 'other.local' })).rejects.toThrow();
    forgetCertificates(home);
    expect(existsSync(join(home, 'web/authority.json'))).toBe(false);
    await certificateFor(home, { ...own, host: 'other.local' });
  });

  it('is refused when its file is damaged', async () => {
    await certificateFor(home, own);
    writeFileSync(join(home, 'web/authority.json'), '{}');
    await expect(certificateFor(home, own)).rejects.toMatchObject({ reason: 'stateUnusable' });
  });

  it('warns in its last 30 days', () => {
    expect(warning(31)).toBeNull();
    expect(warning(29)).toContain('29 days');
    expect(warning(1)).toContain('1 day');
    expect(warning(-1)).toContain('has expired');
  });

  it('may be the person’s own, if it is one pair for the name', async () => {
    const authority = await createAuthority('signer.example');
    const leaf = await issueLeaf(authority, 'signer.example');
    const other = await issueLeaf(authority, 'signer.example');
    const [cert, key, otherKey] = ['cert.pem', 'key.pem', 'other.pem'].map((name) =>
      join(home, name),
    ) as [string, string, string];
    writeFileSync(cert, leaf.certificatePem);
    writeFileSync(key, leaf.privateKeyPem);
    writeFileSync(otherKey, other.privateKeyPem);
    const place = choosePlace(log, { name: 'signer.example', cert, key });
    expect(await certificateFor(home, place)).toEqual({
      cert: leaf.certificatePem,
      key: leaf.privateKeyPem,
      notAfter: certificateFacts(leaf.certificatePem).notAfter,
      authority: null,
    });
    const files = { kind: 'files', cert, key } as const;
    const refused = [
      { ...place, host: 'other.example' },
      { ...place, certificate: { ...files, key: otherKey } },
      { ...place, certificate: { ...files, cert: key } },
      { ...place, certificate: { ...files, cert: join(home, 'none.pem') } },
    ];
    for (const one of refused) await expect(certificateFor(home, one)).rejects.toThrow();
  });
});

describe('a profile for an iPhone', () => {
  it('carries the authority, and is the same for the same one', async () => {
    const { certificatePem } = await createAuthority(HOST);
    const profile = profileFor(HOST, certificatePem);
    expect(profileFor(HOST, certificatePem)).toBe(profile);
    expect(profile).toContain('<string>com.apple.security.root</string>');
    const [, data = ''] = /<data>([^<]+)<\/data>/.exec(profile) ?? [];
    const carried = new X509Certificate(Buffer.from(data, 'base64'));
    expect(carried.fingerprint256).toBe(certificateFacts(certificatePem).sha256);
    const ids = [...profile.matchAll(/<string>([0-9A-F-]{36})<\/string>/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(2);
  });
});

describe('an invitation', () => {
  const browser = { name: 'iPhone', publicKey: 'key' };
  /** `ok`, or why not. */
  function redeem(code: string, now: number): string {
    const before = pairedBrowsers(log).length;
    const admitted = admit(log, code, browser, now);
    const isIn = typeof admitted === 'object';
    expect(pairedBrowsers(log)).toHaveLength(before + (isIn ? 1 : 0));
    return isIn ? 'ok' : admitted;
  }

  it('lets one browser in, once', () => {
    const { code, until } = invite(log, 1_000);
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{8}$/);
    expect(until).toBe(121_000);
    expect(isInvitationOpen(log, 1_000)).toBe(true);
    expect(redeem(code, 2_000)).toBe('ok');
    expect(redeem(code, 2_000)).toBe('noInvitation');
    expect(isInvitationOpen(log, 2_000)).toBe(false);
  });

  it('ends after two minutes, with the next one, and after five wrong codes', () => {
    const { code } = invite(log, 0);
    expect(redeem(code, 120_000)).toBe('noInvitation');
    const second = invite(log, 0);
    const third = invite(log, 0);
    expect(redeem(second.code, 1)).toBe('wrongCode');
    for (let i = 0; i < 4; i++) expect(redeem('00000000', 1)).toBe('wrongCode');
    expect(redeem(third.code, 1)).toBe('tooManyTries');
    expect(isInvitationOpen(log, 1)).toBe(false);
  });

  it('is not in the log, only its hash', () => {
    const { code } = invite(log, 0);
    expect(JSON.stringify([...log.readAll()])).not.toContain(code);
    expect(redeem(code, 1)).toBe('ok');
  });
});
