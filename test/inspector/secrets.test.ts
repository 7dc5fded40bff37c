import { createDecipheriv, createHash, scryptSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openEventLog } from '../../adapters/event-log/store.ts';
import { joinSources } from '../../app/inspector/joined-source.ts';
import type { Flow, Opening, Place } from '../../app/inspector/protocol.ts';
import { logPath } from '../../app/running.ts';
import { createBench, type Device } from '../support/program-driver.ts';
import {
  connectTo,
  createIdentity,
  knowHost,
  pair,
  PROMPT,
  startPhone,
} from '../support/program-story.ts';
import { hasSshd, startSshd } from '../support/sshd.ts';
import { startedInspector, type Client } from './inspector-client.ts';
import { sourceOf } from './recorded-devices.ts';

const canaries = {
  passphrase: 'canary-passphrase-Zq7',
  'wrong passphrase': 'canary-mistyped-Zq8',
  'passphrase typed too early': 'canary-hasty-Zq9',
  'what was typed into the shell': 'canary-shell-Zq6',
};

describe.skipIf(!hasSshd)(
  `secrets in a flow${hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]'}`,
  () => {
    const bench = createBench();
    afterAll(() => bench.clear());

    it('are neither in what the page is told nor in the exported file', async () => {
      const [headset, phone] = [bench.device('vmux'), bench.device('signer')];
      const secrets = await loginWithSecrets(headset, phone);
      expect([...secrets.keys()]).toEqual([
        ...Object.keys(canaries),
        'private key',
        'challenge',
        'signature',
      ]);

      const logs = [headset, phone].map(({ home }) => openEventLog(logPath(home)));
      const [own, theirs] = logs;
      if (own === undefined || theirs === undefined) throw new Error('no log');
      const client = await startedInspector(
        joinSources(sourceOf('headset', own), sourceOf('phone', theirs)),
      );
      const { opening, told } = await everythingTold(client);
      for (const log of logs) log.close();

      expect(opening.flows.map(({ title }) => title)).toEqual(
        expect.arrayContaining(['request of Headset', 'pair with a phone', 'pair with a headset']),
      );
      const traffic = Object.entries(told);
      const leaks = [...secrets].flatMap(([name, secret]) =>
        traffic
          .filter(([, text]) => spellings(secret).some((one) => text.includes(one)))
          .map(([path]) => `${name} in ${path}`),
      );
      expect(leaks).toEqual([]);
      // It is the login with the secrets that was told of.
      const hashOf = (name: string) =>
        createHash('sha256')
          .update(secrets.get(name) ?? '')
          .digest('hex');
      for (const name of ['challenge', 'signature']) {
        expect(traffic.some(([, text]) => text.includes(hashOf(name)))).toBe(true);
      }
    });

    /** A login, with a wrong passphrase first; what must stay where it is, by name. */
    async function loginWithSecrets(headset: Device, phone: Device): Promise<Map<string, Buffer>> {
      const sshd = await startSshd({ prefix: bench.prefix });
      try {
        await sshd.setAuthorizedKeys([await createIdentity(phone, 'work', canaries.passphrase)]);
        await pair(headset, phone);
        await knowHost(phone, sshd);
        const signer = await startPhone(phone);
        const tap = join(bench.directory, 'tap');
        const connecting = headset.start(connectTo(sshd, signer, ['cat']), {
          env: {
            NODE_OPTIONS: `--import=${resolve('test/support/program-tap.ts')}`,
            TAP_FILE: tap,
          },
        });
        await signer.expect('SSH Sign Request');
        signer.type(`${canaries['passphrase typed too early']}\n`);
        await signer.expect(PROMPT);
        signer.type(`${canaries['wrong passphrase']}\n`);
        await signer.answer(canaries.passphrase);
        connecting.type(`${canaries['what was typed into the shell']}\n`);
        await connecting.expect(canaries['what was typed into the shell']);
        connecting.endInput();
        expect((await connecting.ended).status).toBe(0);
        return new Map([
          ...Object.entries(canaries).map(([name, text]) => [name, Buffer.from(text)] as const),
          ['private key', scalarOf(phone.home)] as const,
          ...hashedAndRecorded(tap, headset),
        ]);
      } finally {
        await sshd.stop();
      }
    }
  },
);

/** Every answer that a page can get about what is recorded, by the question. */
async function everythingTold(client: Client) {
  await client.enter();
  const told: Record<string, string> = {};
  const ask = async (path: string) => {
    const { status, text } = await client.ask(path);
    expect(status, path).toBe(200);
    told[path] = text;
    return text;
  };
  const opening = JSON.parse(await ask('/api/opening')) as Opening;
  for (const { id } of opening.flows) {
    const query = encodeURIComponent(id);
    const { rows, before } = JSON.parse(await ask(`/api/flow?id=${query}`)) as Flow;
    await ask(`/api/export?flow=${query}`);
    for (const { device, stream, version } of [...before, ...rows] as Place[]) {
      const at = encodeURIComponent(`${device}:${stream}@${version}`);
      await ask(`/api/views?at=${at}`);
      await ask(`/api/what-if?at=${at}`);
    }
  }
  return { opening, told };
}

/** The bytes whose hashes the headset recorded as challenge and signature. */
function hashedAndRecorded(tap: string, { home }: Device): [string, Buffer][] {
  const lines = readFileSync(tap, 'utf8').trim().split('\n');
  const byHash = new Map(
    lines.map((line) => {
      const bytes = Buffer.from(line, 'base64');
      return [createHash('sha256').update(bytes).digest('hex'), bytes] as const;
    }),
  );
  const log = openEventLog(logPath(home));
  const events = [...log.readAll()].map(({ data }) => (data ?? {}) as Record<string, string>);
  log.close();
  return (['challenge', 'signature'] as const).map((name) => {
    const hash = events.find((data) => `${name}Hash` in data)?.[`${name}Hash`] ?? '';
    return [name, byHash.get(hash) ?? Buffer.alloc(0)];
  });
}

/** Opens the one sealed key of a phone, by the format alone. */
function scalarOf(home: string): Buffer {
  const [name = ''] = readdirSync(join(home, 'keys'));
  const file = JSON.parse(readFileSync(join(home, 'keys', name), 'utf8'));
  const { N, r, p, salt } = file.kdf;
  const options = { N, r, p, maxmem: 2 ** 29 };
  const secret = scryptSync(canaries.passphrase, Buffer.from(salt, 'base64'), 32, options);
  const sealed = Buffer.from(file.sealed, 'base64');
  const cipher = createDecipheriv('aes-256-gcm', secret, Buffer.from(file.iv, 'base64'));
  cipher.setAAD(Buffer.from(file.publicKey, 'base64')).setAuthTag(sealed.subarray(32));
  return Buffer.concat([cipher.update(sealed.subarray(0, 32)), cipher.final()]);
}

/** The ways in which bytes end up in text. An empty secret would be found everywhere. */
function spellings(secret: Buffer): string[] {
  const hex = secret.toString('hex');
  const shifted = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), secret])
      .toString('base64')
      .slice(shift === 0 ? 0 : 4, Math.floor((secret.length + shift) / 3) * 4),
  );
  return [secret.toString('latin1'), hex, hex.toUpperCase(), [...secret].join(','), ...shifted];
}
