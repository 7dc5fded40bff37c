import { createDecipheriv, createHash, scryptSync } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBench, type RunningProgram } from '../support/program-driver.ts';
import { eventsOf } from '../support/program-logs.ts';
import {
  connectTo,
  createIdentity,
  knowHost,
  pair,
  type Phone,
  PROMPT,
  startPhone,
} from '../support/program-story.ts';
import { hasSshd, startSshd, type Sshd } from '../support/sshd.ts';

const canaries = {
  passphrase: 'canary-passphrase-Zq7',
  'wrong passphrase': 'canary-mistyped-Zq8',
  'passphrase typed too early': 'canary-hasty-Zq9',
};

describe.skipIf(!hasSshd)(
  `secrets${hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]'}`,
  () => {
    const bench = createBench();
    const headset = bench.device('vmux');
    const phone = bench.device('signer');
    const tap = join(bench.directory, 'tap');
    const secrets = new Map<string, Buffer>();
    const processes: Record<string, Buffer> = {};
    let sshd: Sshd;
    let signer: Phone;

    beforeAll(async () => {
      sshd = await startSshd({ prefix: bench.prefix });
      await sshd.setAuthorizedKeys([await createIdentity(phone, 'work', canaries.passphrase)]);
      await pair(headset, phone);
      await knowHost(phone, sshd);
      signer = await startPhone(phone);
      for (const [name, text] of Object.entries(canaries)) secrets.set(name, Buffer.from(text));
      secrets.set('private key', scalarOf(phone.home, canaries.passphrase));
    });
    afterAll(async () => {
      await bench.clear();
      await sshd?.stop();
    });

    /** What anybody on the machine can read of a running program. */
    function lookAt(name: string, { pid }: RunningProgram): void {
      for (const part of ['cmdline', 'environ']) {
        processes[`${part} of ${name}`] = readFileSync(`/proc/${pid}/${part}`);
      }
    }

    it('are used: a login is approved, another denied after a wrong passphrase', async () => {
      const options = `--import=${resolve('test/support/program-tap.ts')}`;
      const connecting = headset.start(connectTo(sshd, signer, ['cat']), {
        env: { NODE_OPTIONS: options, TAP_FILE: tap },
      });
      await signer.expect('SSH Sign Request');
      signer.type(`${canaries['passphrase typed too early']}\n`);
      await signer.answer(canaries['wrong passphrase']);
      lookAt('signer', signer);
      await signer.answer(canaries.passphrase);
      connecting.type('hello\n');
      await connecting.expect('hello\n');
      lookAt('vmux', connecting);
      connecting.endInput();
      expect((await connecting.ended).status).toBe(0);

      const denied = headset.start(connectTo(sshd, signer, ['true']));
      await signer.expect(PROMPT);
      signer.type(`${canaries['wrong passphrase']}\n`);
      await signer.answer('d');
      expect((await denied.ended).status).toBe(255);
    });

    it('include the challenge and the signature whose hashes were recorded', () => {
      const hashed = readFileSync(tap, 'utf8').trim().split('\n');
      const byHash = new Map(
        hashed.map((line) => {
          const bytes = Buffer.from(line, 'base64');
          return [createHash('sha256').update(bytes).digest('hex'), bytes] as const;
        }),
      );
      const recorded = eventsOf(headset).flatMap(({ data }) =>
        Object.entries((data ?? {}) as Record<string, string>),
      );
      for (const [field, name] of [
        ['challengeHash', 'challenge'],
        ['signatureHash', 'signature'],
      ] as const) {
        const hash = recorded.find(([key]) => key === field)?.[1] ?? '';
        const bytes = byHash.get(hash);
        expect(bytes?.length, name).toBeGreaterThan(64);
        secrets.set(name, bytes ?? Buffer.alloc(0));
      }
    });

    it('are in no state directory, no log, no output, no argument and no environment', async () => {
      await Promise.all([headset.run(['log']), headset.run(['log', '--json'])]);
      await Promise.all([phone.run(['log']), phone.run(['log', '--json'])]);
      const places: Record<string, Buffer> = {
        ...processes,
        "the headset's output": Buffer.from(headset.screen()),
        "the phone's output": Buffer.from(phone.screen()),
        'the log of sshd': Buffer.from(sshd.log()),
        ...filesBelow(headset.home),
        ...filesBelow(phone.home),
      };
      expect(Object.keys(places).filter((place) => place.endsWith('events.db'))).toHaveLength(2);
      expect([...secrets.keys()]).toEqual([
        ...Object.keys(canaries),
        'private key',
        'challenge',
        'signature',
      ]);
      const leaks = [...secrets].flatMap(([name, secret]) =>
        Object.entries(places)
          .filter(([, content]) => spellings(secret).some((one) => content.includes(one)))
          .map(([place]) => `${name} in ${place}`),
      );
      expect(leaks).toEqual([]);
    });

    it('would have been found there by this search', () => {
      for (const [, secret] of secrets) {
        for (const spelling of spellings(secret)) {
          const place = Buffer.concat([Buffer.from('before'), spelling, Buffer.from('after')]);
          expect(spellings(secret).some((one) => place.includes(one))).toBe(true);
        }
      }
      expect(headset.screen()).toContain('challengeHash=');
    });

    it('are in files that their owner alone can read', () => {
      for (const home of [headset.home, phone.home]) {
        const open = readdirSync(home, { recursive: true, encoding: 'utf8' })
          .map((name) => join(home, name))
          .filter((path) => (statSync(path).mode & 0o077) !== 0);
        expect(open).toEqual([]);
        expect(statSync(home).mode & 0o777).toBe(0o700);
      }
    });
  },
);

/** Opens the one sealed key of a phone, by the format alone. */
function scalarOf(home: string, passphrase: string): Buffer {
  const [name = ''] = readdirSync(join(home, 'keys'));
  const file = JSON.parse(readFileSync(join(home, 'keys', name), 'utf8'));
  const { N, r, p, salt } = file.kdf;
  const secret = scryptSync(passphrase, Buffer.from(salt, 'base64'), 32, {
    N,
    r,
    p,
    maxmem: 2 ** 29,
  });
  const sealed = Buffer.from(file.sealed, 'base64');
  const cipher = createDecipheriv('aes-256-gcm', secret, Buffer.from(file.iv, 'base64'));
  cipher.setAAD(Buffer.from(file.publicKey, 'base64')).setAuthTag(sealed.subarray(32));
  return Buffer.concat([cipher.update(sealed.subarray(0, 32)), cipher.final()]);
}

function filesBelow(home: string): Record<string, Buffer> {
  const paths = readdirSync(home, { recursive: true, encoding: 'utf8' })
    .map((name) => join(home, name))
    .filter((path) => statSync(path).isFile());
  return Object.fromEntries(paths.map((path) => [path, readFileSync(path)]));
}

/** The ways in which bytes end up in text and files. */
function spellings(secret: Buffer): Buffer[] {
  const hex = secret.toString('hex');
  return [
    secret,
    ...[hex, hex.toUpperCase(), [...secret].join(',')].map((text) => Buffer.from(text)),
    // In base64 the neighbours shift it: what is common to every place in a longer text.
    ...[0, 1, 2].map((shift) => {
      const text = Buffer.concat([Buffer.alloc(shift), secret]).toString('base64');
      return Buffer.from(
        text.slice(shift === 0 ? 0 : 4, Math.floor((secret.length + shift) / 3) * 4),
      );
    }),
    Buffer.from(secret.toString('base64url')),
  ];
}
