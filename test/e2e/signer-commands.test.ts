import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { userInfo } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openEventLog } from '../../adapters/event-log/store.ts';
import { readHostKeyLine } from '../../adapters/keys/host-key-line.ts';
import { startServer, type DemoServer } from '../../app/demo/ssh-server.ts';
import { addPin } from '../../app/phone/host-pins.ts';
import { failures, type FailureReason } from '../../machines/failures.ts';
import { createBench, type Device } from '../support/program-driver.ts';
import { eventsOf, untold } from '../support/program-logs.ts';
import {
  CODE_PROMPT,
  connectTo,
  createIdentity,
  knowHost,
  pair,
  startPhone,
  type Phone,
} from '../support/program-story.ts';
import { hasSshd, makeHostKey, startSshd, type Sshd } from '../support/sshd.ts';

/** Each of their many commands is a process. */
const busyMachine = { timeout: 60_000 };
const passphrase = 'four words and more';
const skipped = hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]';
/** Clears the screen and turns the line around, if it is printed as it is. */
const evil = 'web\x1b[2J\u202e';
const shownEvil = String.raw`web\u{001B}[2J\u{202E}`;
const today = new Date().toISOString().slice(0, 10);

const fingerprintOf = (line: string) => readHostKeyLine(line)?.fingerprint ?? '';

const jsonOf = async (phone: Device, ...args: string[]): Promise<unknown> =>
  JSON.parse((await phone.run([...args, '--json'])).stdout);
/** Its output, of a command that has nothing to complain about. */
async function said(phone: Device, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await phone.run(args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

describe.skipIf(!hasSshd)(`the commands of the phone${skipped}`, busyMachine, () => {
  const bench = createBench();
  const folder = join(bench.directory, 'keys');
  let key = '';
  let otherKey = '';
  let rsaKey = '';

  beforeAll(() => {
    mkdirSync(folder);
    key = makeHostKey(join(folder, 'one'), 'ed25519').publicKey;
    otherKey = makeHostKey(join(folder, 'two'), 'ed25519').publicKey;
    rsaKey = makeHostKey(join(folder, 'three'), 'rsa').publicKey;
  });
  afterAll(() => bench.clear());

  it('know hosts: add, list, remove', async () => {
    const phone = bench.device('signer');
    const hosts = (...args: string[]) => said(phone, 'hosts', ...args);
    expect(await hosts()).toBe(
      'no host is known yet\nhint: answer p to the sheet of its first login, or signer hosts add\n',
    );
    expect(await jsonOf(phone, 'hosts', 'list')).toEqual([]);

    expect(await hosts('add', 'web', key)).toBe(`web is known by ${fingerprintOf(key)}\n`);
    // As a shell passes a .pub file's line that stands in no quotes.
    const words = `${otherKey} root@db`.split(' ');
    expect(await hosts('add', 'db:2222', ...words)).toBe(
      `db is known by ${fingerprintOf(otherKey)}\n`,
    );
    await hosts('add', 'db:2222', rsaKey);
    await hosts('add', '[fe80::1]:2200', key);
    await hosts('trust-ca', '*.example.org', key);
    expect((await hosts('list')).split('\n').toSorted()).toEqual(
      [
        '',
        `${'web'.padEnd(24)}  ${fingerprintOf(key)}  ssh-ed25519  since ${today}`,
        `${'db:2222'.padEnd(24)}  ${fingerprintOf(otherKey)}  ssh-ed25519  since ${today}`,
        `${'db:2222'.padEnd(24)}  ${fingerprintOf(rsaKey)}  ssh-rsa  since ${today}`,
        `${'[fe80::1]:2200'.padEnd(24)}  ${fingerprintOf(key)}  ssh-ed25519  since ${today}`,
        `${'*.example.org'.padEnd(24)}  ${fingerprintOf(key)}  ssh-ed25519  since ${today}  certified by this authority`,
      ].toSorted(),
    );
    expect(await hosts('remove', 'DB')).toContain(`forgot db:2222  ${fingerprintOf(rsaKey)}\n`);
    expect(await hosts('remove', fingerprintOf(key))).toContain('forgot web ');
    expect(await jsonOf(phone, 'hosts', 'list')).toEqual([]);
  });

  it('know one key of a type for a name and port: another one takes its place', async () => {
    const phone = bench.device('signer');
    await phone.run(['hosts', 'add', 'web', key]);
    await phone.run(['hosts', 'add', 'Web', otherKey]);
    expect(await jsonOf(phone, 'hosts')).toEqual([
      {
        name: 'Web',
        port: 22,
        keyType: 'ssh-ed25519',
        fingerprint: fingerprintOf(otherKey),
        isCa: false,
        since: expect.any(Number),
      },
    ]);
    await phone.run(['hosts', 'add', 'web:2222', key]);
    expect(await said(phone, 'hosts', 'remove', 'web:2222')).toBe(
      `forgot web:2222  ${fingerprintOf(key)}\n`,
    );
    expect(await jsonOf(phone, 'hosts')).toHaveLength(1);
  });

  it('set the policy, a part at a time', async () => {
    const phone = bench.device('signer');
    const policy = (...args: string[]) => said(phone, 'policy', ...args);
    expect(await policy()).toBe(
      'require-proof  off\nforwarding     ask\nlisted         (none)\ntime-limit     120 s\n',
    );
    await phone.run(['hosts', 'add', 'jump', key]);
    await phone.run(['hosts', 'add', 'bastion', otherKey]);
    expect(await policy('require-proof', 'on')).toBe('');
    expect(await policy('forwarding', 'listed')).toBe('');
    await policy('listed', 'add', 'jump');
    await policy('listed', 'add', 'bastion');
    await policy('listed', 'add', 'jump');
    await policy('time-limit', '30');
    expect(await policy('show')).toBe(
      'require-proof  on\nforwarding     listed\nlisted         bastion, jump\ntime-limit     30 s\n',
    );
    await policy('listed', 'remove', 'JUMP');
    await policy('forwarding', 'never');
    expect(await jsonOf(phone, 'policy')).toEqual({
      requireProof: true,
      forwarding: 'never',
      listed: ['bastion'],
      timeLimit: 30,
    });
  });

  it('mute a headset for a while, and no longer', async () => {
    const phone = bench.device('signer');
    const headset = bench.device('vmux');
    await pair(headset, phone, { headset: 'Vision', phone: 'iPhone' });
    const devices = (...args: string[]) => said(phone, 'devices', ...args);
    const mutedUntil = async () => {
      const [device] = (await jsonOf(phone, 'devices')) as { mutedUntil: number | null }[];
      return device?.mutedUntil;
    };
    expect(await mutedUntil()).toBeNull();
    for (const [duration, milliseconds] of [
      ['90s', 90_000],
      ['10m', 600_000],
      ['2h', 7_200_000],
      ['7d', 7 * 86_400_000],
    ] as const) {
      const before = Date.now();
      const answer = await devices('mute', 'Vision', duration);
      const until = (await mutedUntil()) ?? NaN;
      expect(answer).toBe(`Vision is muted until ${new Date(until).toISOString()}\n`);
      expect(until - milliseconds).toBeGreaterThanOrEqual(before);
      expect(until - milliseconds).toBeLessThanOrEqual(Date.now());
    }
    expect(await devices()).toMatch(
      /^Vision {12}[0-9a-f-]{36} {2}paired \S{10} {2}muted until \S+Z\n$/,
    );
    expect(await devices('unmute', 'Vision')).toBe('Vision may ask again\n');
    expect(await mutedUntil()).toBeNull();
    expect(await devices()).not.toContain('muted');
  });

  it('lock an identity to hosts, and say which of them nobody knows yet', async () => {
    const phone = bench.device('signer');
    await createIdentity(phone, 'work', passphrase);
    await phone.run(['hosts', 'add', 'web', key]);
    const allow = (...args: string[]) => phone.run(['identity', 'allow', 'work', ...args]);
    expect(await allow('root@web', 'db:2222')).toMatchObject({
      status: 0,
      stdout: '',
      stderr:
        'hint: no host is known as db yet; until it is (signer hosts add), nothing is signed for it\n',
    });
    expect(await said(phone, 'identity', 'list')).toMatch(/ {2}only for root@web, db:2222\n$/);
    expect(await jsonOf(phone, 'identity', 'list')).toMatchObject([
      {
        label: 'work',
        allowed: [
          { user: 'root', host: 'web', port: null },
          { user: null, host: 'db', port: 2222 },
        ],
      },
    ]);
    expect(await allow('anywhere')).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(await said(phone, 'identity', 'list')).toMatch(/ {2}sealed on this device\n$/);
  });

  it('end with 2 on wrong usage, with a hint, and change nothing', async () => {
    const phone = bench.device('signer');
    const headset = bench.device('vmux');
    await createIdentity(phone, 'work', passphrase);
    await pair(headset, phone, { headset: 'Vision', phone: 'iPhone' });
    const before = eventsOf(phone).length;
    const certificate = `ssh-ed25519-cert-v01@openssh.com ${key.split(' ')[1]}`;
    for (const args of [
      ['hosts', 'forget'],
      ['hosts', 'list', 'web'],
      ['hosts', 'add'],
      ['hosts', 'add', 'web'],
      ['hosts', 'add', 'web:0', key],
      ['hosts', 'add', 'web:99999', key],
      ['hosts', 'add', ':22', key],
      ['hosts', 'add', 'we b', key],
      ['hosts', 'add', evil, key],
      ['hosts', 'add', 'w'.repeat(256), key],
      ['hosts', 'add', 'web', 'ssh-ed25519'],
      ['hosts', 'add', 'web', 'ssh-ed25519', 'AAAA'],
      ['hosts', 'add', 'web', `ssh-rsa ${key.split(' ')[1]}`],
      ['hosts', 'add', 'web', certificate],
      ['hosts', 'trust-ca', '*.example.org'],
      ['hosts', 'remove'],
      ['hosts', 'remove', 'nobody'],
      ['hosts', 'remove', fingerprintOf(key)],
      ['hosts', '--all'],
      ['policy', 'require-proof'],
      ['policy', 'require-proof', 'perhaps'],
      ['policy', 'forwarding', 'always'],
      ['policy', 'forwarding', 'ask', 'web'],
      ['policy', 'listed', 'add'],
      ['policy', 'listed', 'add', 'nobody'],
      ['policy', 'listed', 'remove', 'nobody'],
      ['policy', 'approve', 'all'],
      ['devices', 'mute'],
      ['devices', 'mute', 'Vision'],
      ['devices', 'mute', 'Vision', '0s'],
      ['devices', 'mute', 'Vision', '10'],
      ['devices', 'mute', 'Vision', '1w'],
      ['devices', 'mute', 'Vision', '8d'],
      ['devices', 'mute', 'Vision', '1.5h'],
      ['devices', 'mute', 'nobody', '10m'],
      ['devices', 'unmute', 'nobody'],
      ['devices', 'unmute', 'Vision', '10m'],
      ['identity', 'allow', 'work'],
      ['identity', 'allow', 'nobody', 'web'],
      ['identity', 'allow', 'work', '@web'],
      ['identity', 'allow', 'work', 'web:0'],
      ['identity', 'allow', 'work', 'web', 'root@'],
    ]) {
      const { status, stdout, stderr } = await phone.run(args);
      expect([args, status, stdout]).toEqual([args, 2, '']);
      expect(stderr).toMatch(/^signer: [\x20-\x7e…]+\nhint: see signer \w+ --help\n$/);
    }
    expect(eventsOf(phone)).toHaveLength(before);
  }, 120_000);

  it('show foreign names escaped, in words and in JSON', async () => {
    const phone = bench.device('signer');
    await createIdentity(phone, 'work', passphrase);
    // As a sheet pins the host that a headset has named.
    const log = openEventLog(join(phone.home, 'events.db'));
    const keyType = 'ssh-ed25519';
    addPin(log, { name: evil, port: 22, keyType, fingerprint: fingerprintOf(key), isCa: false });
    log.close();
    expect(await said(phone, 'hosts', 'list')).toContain(`${shownEvil.padEnd(24)}  SHA256:`);
    const { stdout } = await phone.run(['hosts', 'list', '--json']);
    expect(stdout).toContain(String.raw`"name": "web\u001b[2J\u202e"`);
    expect(JSON.parse(stdout)).toMatchObject([{ name: evil }]);

    await said(phone, 'policy', 'listed', 'add', evil);
    expect(await said(phone, 'policy')).toContain(`listed         ${shownEvil}\n`);
    const strange = `${evil}2`;
    await phone.run(['identity', 'allow', 'work', `${evil}@${evil}`, strange]);
    expect(await said(phone, 'identity', 'list')).toContain(
      `only for ${shownEvil}@${shownEvil}, ${shownEvil}2\n`,
    );
    for (const args of [
      ['hosts', 'remove', strange],
      ['hosts', strange],
      ['policy', 'listed', 'add', strange],
      ['policy', 'listed', 'remove', strange],
      ['policy', strange, 'on'],
      ['devices', 'mute', strange, '10m'],
      ['devices', strange],
      ['identity', 'allow', strange, 'web'],
    ]) {
      const { status, stderr } = await phone.run(args);
      expect([args, status]).toEqual([args, 2]);
      expect(stderr).toContain(shownEvil);
    }
    expect(await said(phone, 'hosts', 'remove', evil)).toBe(
      `forgot ${shownEvil}  ${fingerprintOf(key)}\n`,
    );
    // oxlint-disable-next-line no-control-regex
    expect(phone.screen()).not.toMatch(/\x1b|\u202e/);
  });
});

describe.skipIf(!hasSshd)(
  `a phone that is running obeys them within a second${skipped}`,
  busyMachine,
  () => {
    // The server without hostbound authentication is in this process, on the machine's own loopback.
    const bench = createBench('shared');
    const headset = bench.device('vmux');
    const phone = bench.device('signer');
    let sshd: Sshd;
    let plain: DemoServer;
    let signer: Phone;
    let otherKey = '';
    let before = { signatures: 0, sheets: 0 };

    beforeAll(async () => {
      sshd = await startSshd();
      const line = await createIdentity(phone, 'work', passphrase);
      await sshd.setAuthorizedKeys([line]);
      const [, publicKey = ''] = line.split(' ');
      const directory = join(bench.directory, 'plain-server');
      mkdirSync(directory);
      plain = await startServer({ user: userInfo().username, publicKey, directory });
      otherKey = makeHostKey(join(bench.directory, 'other'), 'ed25519').publicKey;
      await pair(headset, phone, { headset: 'Vision', phone: 'iPhone' });
      await knowHost(phone, sshd);
      signer = await startPhone(phone);
    });
    beforeEach(() => {
      before = made();
    });
    afterAll(async () => {
      await bench.clear();
      await plain?.close();
      await sshd?.stop();
    });

    const made = () => ({
      signatures: eventsOf(phone).filter(({ type }) => type === 'xstate.done.actor.keys').length,
      sheets: signer.stdout().toString().split('SSH Sign Request').length - 1,
    });
    const connect = () => headset.start(connectTo(sshd, signer, ['id', '-un']));

    /** Runs a command, and gives the milliseconds from its decision to the running phone's. */
    async function decide(args: string[], known = 'settings.changed'): Promise<number> {
      const all = eventsOf(phone).length;
      expect(await phone.run(args)).toMatchObject({ status: 0, stderr: '' });
      const told = () =>
        eventsOf(phone)
          .slice(all)
          .find(({ stream, type }) => stream.startsWith('signer/') && type === known);
      await expect.poll(told, { timeout: 10_000, interval: 50 }).toBeDefined();
      return (told()?.at ?? NaN) - (eventsOf(phone)[all]?.at ?? NaN);
    }

    async function expectRefused(
      connecting: ReturnType<typeof connect>,
      reason: FailureReason,
    ): Promise<void> {
      const { message, hint } = failures[reason];
      const { status, stdout, stderr } = await connecting.ended;
      expect({ status, stdout }).toEqual({ status: 255, stdout: '' });
      expect(stderr).toContain(`vmux: ${message}\nhint: ${hint}\n`);
      expect(made().signatures).toBe(before.signatures);
    }
    async function expectServed(): Promise<void> {
      const connecting = connect();
      await signer.answer(passphrase);
      expect(await connecting.ended).toMatchObject({ status: 0, stdout: 'root\n' });
    }

    it('a muted headset is refused without a sheet, until it is unmuted', async () => {
      expect(await decide(['devices', 'mute', 'Vision', '10m'], 'device.muted')).toBeLessThan(
        1_000,
      );
      await expectRefused(connect(), 'deviceMuted');
      expect(made()).toEqual(before);
      expect(await decide(['devices', 'unmute', 'Vision'], 'device.unmuted')).toBeLessThan(1_000);
      await expectServed();
    });

    it('a headset that is muted under its sheet loses the sheet', async () => {
      const connecting = connect();
      await signer.expect('passphrase + Enter approves');
      await decide(['devices', 'mute', 'Vision', '10m'], 'device.muted');
      await signer.expect('root@127.0.0.1 from Vision: refused; nothing was signed\n');
      signer.type(`${passphrase}\n`);
      await expectRefused(connecting, 'deviceMuted');
      await decide(['devices', 'unmute', 'Vision'], 'device.unmuted');
    });

    it('a mute outlives the program, and runs out by itself', async () => {
      await decide(['devices', 'mute', 'Vision', '10s'], 'device.muted');
      const [, port = ''] = signer.address.split(':');
      signer.kill('SIGTERM');
      await signer.ended;
      signer = await startPhone(phone, Number(port));
      before = made();
      await expectRefused(connect(), 'deviceMuted');
      expect(made()).toEqual(before);
      const lastDecision = () =>
        eventsOf(phone).findLast(
          ({ stream, type }) => stream.startsWith('signer/') && /^device\.(un)?muted$/.test(type),
        )?.type;
      await expect.poll(lastDecision, { timeout: 15_000 }).toBe('device.unmuted');
      await expectServed();
    });

    it('once proof is required, a server that gives none is refused, and OpenSSH’s is not', async () => {
      const connectPlainly = () =>
        headset.start(
          connectTo({ address: '127.0.0.1', port: plain.port }, signer, ['id', '-un']).map((word) =>
            word.replace('root@', `${userInfo().username}@`),
          ),
        );
      const denied = connectPlainly();
      await signer.expect('Vouched for by SHA256:');
      await signer.answerCode('d');
      expect((await denied.ended).stderr).toContain(failures.denied.message);

      before = made();
      expect(await decide(['policy', 'require-proof', 'on'])).toBeLessThan(1_000);
      await expectRefused(connectPlainly(), 'proofRequired');
      await signer.expect(
        'from Vision: refused; nothing was signed (nothing proves where the login goes)\n',
      );
      expect(made()).toEqual(before);
      await expectServed();
      await decide(['policy', 'require-proof', 'off']);
    });

    it('a host that is forgotten is new again, and asks for the code', async () => {
      await expectServed();
      before = made();
      expect(await decide(['hosts', 'remove', `127.0.0.1:${sshd.port}`])).toBeLessThan(1_000);
      const connecting = connect();
      await signer.expect('New host: SHA256:');
      await signer.expect(CODE_PROMPT);
      signer.type('d\n');
      await expectRefused(connecting, 'denied');
    });

    it('a host with another key than the pinned one is refused, and nothing is signed', async () => {
      const where = `127.0.0.1:${sshd.port}`;
      expect(await decide(['hosts', 'add', where, otherKey])).toBeLessThan(1_000);
      await expectRefused(connect(), 'destinationChanged');
      await signer.expect(
        'root@127.0.0.1 from Vision: refused; nothing was signed (the host key has CHANGED since the phone learnt it)\n',
      );
      expect(made()).toEqual(before);
      await decide(['hosts', 'remove', where]);
      await decide(['hosts', 'add', where, sshd.hostKeys.ed25519?.publicKey ?? '']);
      await expectServed();
    });

    it('a host whose key is replaced under its sheet loses the sheet', async () => {
      const where = `127.0.0.1:${sshd.port}`;
      const connecting = connect();
      await signer.expect('passphrase + Enter approves');
      await decide(['hosts', 'add', where, otherKey]);
      signer.type(`${passphrase}\n`);
      await expectRefused(connecting, 'destinationChanged');
      await decide(['hosts', 'add', where, sshd.hostKeys.ed25519?.publicKey ?? '']);
    });

    it('an identity that is locked logs in where it is allowed, and nowhere else', async () => {
      const elsewhere = ['identity', 'allow', 'work', 'nobody@127.0.0.1'];
      expect(await decide(elsewhere)).toBeLessThan(1_000);
      await expectRefused(connect(), 'destinationNotAllowed');
      expect(made()).toEqual(before);
      await decide(['identity', 'allow', 'work', `root@127.0.0.1:${sshd.port}`]);
      await expectServed();
      await decide(['identity', 'allow', 'work', 'anywhere']);
    });

    it('told what the log tells', async () => {
      signer.kill('SIGTERM');
      await signer.ended;
      expect(untold(phone)).toEqual([]);
      expect(untold(headset)).toEqual([]);
    });
  },
);
