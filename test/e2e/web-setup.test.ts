import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterAll, describe, expect, it } from 'vitest';
import {
  createAuthority,
  issueLeaf,
  type KeyedCertificate,
} from '../../adapters/certificates/authority.ts';
import { createPageClient } from '../support/page-client.ts';
import { createBench, type Device, type RunningProgram } from '../support/program-driver.ts';

const DAY = 24 * 3600 * 1000;

/** The page is built before it is first served. */
const built = { timeout: 90_000 };

async function freePort(): Promise<string> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return String(port);
}

async function serve(phone: Device, ...args: string[]) {
  const [port, web] = [await freePort(), await freePort()];
  const started = phone.start(['start', '--port', port, '--web', '--web-port', web, ...args]);
  const [, origin = ''] = await started.expect(/page is at (\S+)/, 60_000);
  return { started, origin };
}

const codeOn = async (program: RunningProgram) => {
  const [, first = '', second = ''] = await program.expect(/\b([0-9A-Z]{4})-([0-9A-Z]{4})\n/);
  return first + second;
};

describe('the way of an iPhone to the page', built, () => {
  const bench = createBench('shared');
  afterAll(() => bench.clear());

  it('is profile, trust, Home Screen, pair', async () => {
    const phone = bench.device('signer');
    const { started, origin } = await serve(phone);
    const { hostname, port } = new URL(origin);
    expect(origin).toMatch(/^https:\/\/signer-[a-z2-7]{4}\.local:\d+$/);
    const [, shown = ''] = await started.expect(/SHA-256 (\S+)/);

    const setup = phone.start(['web', 'setup']);
    const [, profileHost = '', at = '', path = ''] = await setup.expect(
      /http:\/\/(signer-....\.local):(\d+)(\/\S+)/,
    );
    expect(profileHost).toBe(hostname);
    const served = await fetch(`http://127.0.0.1:${at}${path}`);
    expect(served.headers.get('content-type')).toBe('application/x-apple-aspen-config');
    const [, data = ''] = /<data>([^<]+)<\/data>/.exec(await served.text()) ?? [];
    const authority = new X509Certificate(Buffer.from(data, 'base64'));
    expect(authority.fingerprint256).toBe(shown);
    expect((await fetch(`http://127.0.0.1:${at}/events.db`)).status).toBe(404);
    setup.type('\n');

    const half = shown.slice(0, 47);
    await setup.expect(half);
    await setup.expect(shown.slice(48));
    await setup.expect('switch it on');
    // What brought the profile is gone by now.
    await expect(fetch(`http://127.0.0.1:${at}${path}`)).rejects.toThrow();
    setup.type('\n');
    await setup.expect(`${origin}\n`);
    setup.type('\n');

    const code = await codeOn(setup);
    const page = createPageClient(origin, { ca: authority.toString() });
    expect((await page.pair('00000000')).body).toContain('wrongCode');
    expect((await page.pair(code, 'iPhone (Safari)')).status).toBe(200);
    await setup.expect('paired with iPhone (Safari)');
    expect(await setup.ended).toMatchObject({ status: 0 });
    expect(
      (await createPageClient(origin, { ca: authority.toString() }).pair(code)).body,
    ).toContain('noInvitation');

    const { stdout } = await phone.run(['web', 'certificate']);
    expect(stdout).toContain(`authority: SHA-256 ${shown}\n${authority.toString().trim()}`);
    expect((await phone.run(['web', 'browsers'])).stdout).toContain('iPhone (Safari)');
    const socket = await page.open();
    expect((await phone.run(['web', 'unpair', 'iPhone (Safari)'])).stdout).toBe(
      'unpaired iPhone (Safari)\n',
    );
    expect(await socket.closed).toBe(4001);
    expect((await phone.run(['web', 'browsers', '--json'])).stdout).toBe('[]\n');

    started.kill('SIGTERM');
    await started.ended;
    const other = await phone.run(['start', '--web', '--web-port', String(Number(port) + 1)]);
    expect(other).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('signer web forget'),
    });
  });

  it('on localhost is to pair alone, and Ctrl-C ends the code', async () => {
    const phone = bench.device('signer');
    const { origin } = await serve(phone, '--name', 'localhost');
    expect(origin).toMatch(/^http:\/\/localhost:\d+$/);
    const left = phone.start(['web', 'pair']);
    const code = await codeOn(left);
    left.kill('SIGINT');
    expect(await left.ended).toMatchObject({ status: 1 });
    const page = createPageClient(origin);
    expect((await page.pair(code)).body).toContain('noInvitation');

    const setup = phone.start(['web', 'setup']);
    await setup.expect(origin);
    expect((await page.pair(await codeOn(setup), 'here')).status).toBe(200);
    await setup.expect('paired with here');
  });

  it('ends where it is when it is told to', async () => {
    const phone = bench.device('signer');
    await serve(phone);
    const setup = phone.start(['web', 'setup']);
    await setup.expect('was downloaded');
    setup.kill('SIGTERM');
    expect(await setup.ended).toMatchObject({ status: 1 });
  });

  it('is something that signer doctor looks at', async () => {
    const phone = bench.device('signer');
    const cert = join(bench.directory, 'cert.pem');
    const key = join(bench.directory, 'key.pem');
    const authority = await createAuthority('signer.example');
    const write = async (daysLeft: number) => {
      const at = Date.now() - (396 - daysLeft) * DAY;
      const leaf = await issueLeaf(authority, 'signer.example', at);
      writeFileSync(cert, leaf.certificatePem);
      writeFileSync(key, leaf.privateKeyPem);
    };
    await write(100.5);
    const files = ['--name', 'signer.example', '--cert', cert, '--key', key];
    await serve(phone, ...files);
    const certificate = async () => {
      const { status, stdout } = await phone.run(['doctor', '--json']);
      // There is no identity, no headset and no browser yet.
      expect(status).toBe(1);
      const checks = JSON.parse(stdout) as { hop: string; ok: boolean; found: string }[];
      const { ok, found } = checks.find(({ hop }) => hop === 'certificate')!;
      return { ok, found };
    };
    expect(await certificate()).toEqual({
      ok: true,
      found: expect.stringContaining('signer.example'),
    });
    await write(20.5);
    expect(await certificate()).toEqual({ ok: false, found: expect.stringContaining('20 days') });
    rmSync(key);
    expect(await certificate()).toEqual({ ok: false, found: expect.stringContaining('ENOENT') });
  });

  it('warns of an own certificate that was not renewed, and renews it by no look', async () => {
    const phone = bench.device('signer');
    const { started, origin } = await serve(phone);
    started.kill('SIGTERM');
    await started.ended;
    const file = (name: string) => join(phone.home, 'web', `${name}.json`);
    const authority = JSON.parse(readFileSync(file('authority'), 'utf8')) as KeyedCertificate;
    const { hostname: host } = new URL(origin);
    const old = await issueLeaf(authority, host, Date.now() - (396 - 20.5) * DAY);
    const kept = JSON.stringify({ host, ...old });
    writeFileSync(file('leaf'), kept);
    const { stdout } = await phone.run(['doctor']);
    expect(stdout).toContain('expires in 20 days');
    expect(stdout).toContain('signer start --web makes another');
    expect(readFileSync(file('leaf'), 'utf8')).toBe(kept);
    const again = phone.start(['start', '--port', '0', '--web']);
    await again.expect('page is at', 60_000);
    expect((await phone.run(['doctor'])).stdout).not.toContain('expires in');
  });

  it('keeps no name that it could not be served at', async () => {
    const phone = bench.device('signer');
    const taken = createServer().listen(0);
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const failed = await phone.run(['start', '--port', '0', '--web', '--web-port', String(port)]);
    expect(failed).toMatchObject({ status: 2, stderr: expect.stringContaining('is taken') });
    await new Promise((closed) => taken.close(closed));
    const { started, origin } = await serve(phone, '--name', 'signer-mine.local');
    expect(origin).toMatch(/^https:\/\/signer-mine\.local:/);
    started.kill('SIGTERM');
    await started.ended;
  });

  it('goes on with the authority of a first start that came to nothing', async () => {
    const phone = bench.device('signer');
    const host = 'signer-left.local';
    mkdirSync(join(phone.home, 'web'), { recursive: true, mode: 0o700 });
    const left = JSON.stringify({ host, ...(await createAuthority(host)) });
    const file = join(phone.home, 'web', 'authority.json');
    writeFileSync(file, left, { mode: 0o600 });
    const { origin } = await serve(phone);
    expect(new URL(origin).hostname).toBe(host);
    expect(readFileSync(file, 'utf8')).toBe(left);
  });

  it('has as many steps as there are', async () => {
    const phone = bench.device('signer');
    const [cert, key] = [join(bench.directory, 'own.pem'), join(bench.directory, 'own-key.pem')];
    const leaf = await issueLeaf(await createAuthority('own.example'), 'own.example');
    writeFileSync(cert, leaf.certificatePem);
    writeFileSync(key, leaf.privateKeyPem);
    await serve(phone, '--name', 'own.example', '--cert', cert, '--key', key);
    const setup = phone.start(['web', 'setup']);
    await setup.expect('1 of 2  Add the page to the Home Screen');
    setup.type('\n');
    await setup.expect('2 of 2  Pair');
    setup.kill('SIGTERM');
    await setup.ended;
  });

  it('needs the page to be served', async () => {
    const phone = bench.device('signer');
    for (const action of ['setup', 'pair', 'certificate', 'forget']) {
      const { status, stderr } = await phone.run(['web', action]);
      expect({ status, stderr }).toEqual({
        status: 2,
        stderr: expect.stringContaining('signer start --web'),
      });
    }
  });

  it('begins anew after it was forgotten', async () => {
    const phone = bench.device('signer');
    const first = await serve(phone);
    first.started.kill('SIGTERM');
    await first.started.ended;
    const before = await phone.run(['web', 'certificate']);
    expect((await phone.run(['web', 'forget'])).stdout).toContain(`forgot ${first.origin}`);
    const second = await serve(phone);
    expect(second.origin).not.toBe(first.origin);
    const after = await phone.run(['web', 'certificate']);
    expect(after.stdout).toContain('BEGIN CERTIFICATE');
    expect(after.stdout).not.toBe(before.stdout);
  });
});
