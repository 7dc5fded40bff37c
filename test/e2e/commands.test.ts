import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBench, type Device } from '../support/program-driver.ts';
import {
  connectTo,
  createIdentity,
  knowHost,
  pair,
  sshWithConfig,
  startPhone,
} from '../support/program-story.ts';
import { freePort, hasSshd, makeHostKey, startSshd, type Sshd } from '../support/sshd.ts';

const passphrase = 'four words and more';
const skipped = hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]';

describe('the commands', () => {
  const bench = createBench();
  afterAll(() => bench.clear());

  it('guide the first run of both programs', async () => {
    const headset = bench.device('vmux');
    const phone = bench.device('signer');
    expect(await headset.run([])).toMatchObject({
      status: 0,
      stdout: '',
      stderr:
        'No phone is paired with this headset yet.\n' +
        'hint: run "signer pair" on the phone and "vmux pair" here\n' +
        'No host is saved yet.\nhint: vmux hosts add NAME user@host\n' +
        'hint: vmux connect NAME|user@host[:port]\n',
    });
    expect(await phone.run([])).toMatchObject({
      status: 0,
      stdout: '',
      stderr:
        'no identity yet: signer identity create LABEL, or in the phone’s page: signer start --web\n' +
        'then authorise it: signer identity install LABEL user@host\n' +
        'no headset is paired yet: signer pair here, and vmux pair there\n' +
        'hint: signer --help lists the commands\n',
    });
    const connecting = await headset.run(['connect', 'root@127.0.0.1:1']);
    expect(connecting.status).toBe(255);
    const lists = [await headset.run(['phones']), await phone.run(['identity', 'list'])];
    expect(lists.map(({ stdout }) => stdout)).toEqual([
      'no phone is paired yet\nhint: run "signer pair" on the phone and "vmux pair" here\n',
      'no identity yet\nhint: signer identity create LABEL\n',
    ]);
  });

  it('end with 2 on wrong usage, with a hint and without a trace', async () => {
    const headset = bench.device('vmux');
    const phone = bench.device('signer');
    const wrong: [Device, string[]][] = [
      [headset, ['conect']],
      [headset, ['connect']],
      [headset, ['connect', 'host', 'command']],
      [headset, ['connect', 'host', '--']],
      [headset, ['connect', 'host:99999']],
      [headset, ['connect', '@host']],
      [headset, ['connect', 'host', '--timeout', '0']],
      [headset, ['connect', 'host', '--phone', 'nowhere']],
      [headset, ['connect', 'host', '--approve-all']],
      [headset, ['hosts', 'add', 'name']],
      [headset, ['hosts', 'add', 'na me', 'user@host']],
      [headset, ['hosts', 'add', 'name', 'user@host', '--authentication', 'magic']],
      [headset, ['hosts', 'edit', 'nobody']],
      [headset, ['hosts', 'remove', 'nobody']],
      [headset, ['phones', 'remove', 'nobody']],
      [headset, ['pair', '--address', 'nowhere']],
      [phone, ['identity', 'create']],
      [phone, ['identity', 'create', 'two\nlines']],
      [phone, ['identity', 'enable', 'nobody']],
      [phone, ['identity', 'public-key', 'nobody']],
      [phone, ['identity', 'install', 'nobody', 'user@host']],
      [phone, ['start', '--port', '65536']],
      [phone, ['start', '--approve']],
      [phone, ['devices', 'remove', 'nobody']],
      [phone, ['log', '--colour']],
    ];
    for (const [device, args] of wrong) {
      const { status, stdout, stderr } = await device.run(args);
      expect([args, status, stdout]).toEqual([args, 2, '']);
      expect(stderr).toMatch(
        new RegExp(`^${device.program}: .+\\nhint: see ${device.program}.* --help\\n$`),
      );
    }
  }, 40_000);

  it('keep hosts: add, edit, list, remove', async () => {
    const headset = bench.device('vmux');
    const hosts = (...args: string[]) => headset.run(['hosts', ...args]);
    expect(await hosts('add', 'box', 'me@box.example:2222')).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect((await hosts('add', 'box', 'me@box.example')).status).toBe(2);
    await hosts('add', 'other', 'other.example', '--timeout', '30', '--term', 'vt100');
    await hosts('edit', 'box', 'you@box.example', '--authentication', 'password');
    expect(JSON.parse((await hosts('list', '--json')).stdout)).toEqual([
      {
        name: 'box',
        host: 'box.example',
        port: null,
        user: 'you',
        term: 'xterm-256color',
        authentication: 'password',
        signerTimeout: null,
      },
      {
        name: 'other',
        host: 'other.example',
        port: null,
        user: null,
        term: 'vt100',
        authentication: 'remote-signer',
        signerTimeout: 30_000,
      },
    ]);
    expect((await hosts()).stdout).toBe(
      'box               you@box.example  password\nother             other.example  remote-signer\n',
    );
    expect(await headset.run(['connect', 'box'])).toMatchObject({
      status: 255,
      stdout: '',
      stderr:
        'vmux: the authentication method "password" of box is not supported yet.\n' +
        'hint: vmux hosts edit box --authentication remote-signer\n',
    });
    expect((await hosts('remove', 'box')).status).toBe(0);
    expect((await hosts()).stdout).toBe('other             other.example  remote-signer\n');
  });

  it('show the log, for people and as stored', async () => {
    const headset = bench.device('vmux');
    await headset.run(['hosts', 'add', 'box', 'me@box.example']);
    const readable = await headset.run(['log']);
    expect(readable.stdout).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z {2}host\/box +host\.saved {2}name=box host=box\.example user=me /,
    );
    const stored = (await headset.run(['log', '--json', '--last', '1'])).stdout;
    expect(JSON.parse(stored)).toMatchObject({
      seq: 1,
      stream: 'host/box',
      version: 1,
      type: 'host.saved',
      v: 1,
      data: { name: 'box', user: 'me' },
    });
  });

  describe.skipIf(!hasSshd)(`with a server${skipped}`, () => {
    let sshd: Sshd;
    let userHome = '';
    let bin = '';

    beforeAll(async () => {
      userHome = join(bench.directory, 'server-home');
      mkdirSync(join(userHome, '.ssh'), { recursive: true, mode: 0o700 });
      sshd = await startSshd({
        prefix: bench.prefix,
        config: [
          `SetEnv HOME=${userHome}`,
          `AuthorizedKeysFile ${join(userHome, '.ssh', 'authorized_keys')}`,
        ],
      });
      bin = join(bench.directory, 'bin');
      mkdirSync(bin);
      const plain = makeHostKey(join(bench.directory, 'plain'), 'ed25519');
      // As a hand-made file may be: without a line end at its end.
      writeFileSync(join(userHome, '.ssh', 'authorized_keys'), plain.publicKey, { mode: 0o600 });
      sshWithConfig(bin, [
        `IdentityFile ${plain.path}`,
        'IdentitiesOnly yes',
        'BatchMode yes',
        'StrictHostKeyChecking accept-new',
        `UserKnownHostsFile ${bench.directory}/known_hosts`,
        'LogLevel ERROR',
      ]);
    });
    afterAll(() => sshd?.stop());

    it('install an identity over a login that works, once, and prove it', async () => {
      const phone = bench.device('signer');
      const headset = bench.device('vmux');
      const line = await createIdentity(phone, 'work', passphrase);
      const env = { PATH: `${bin}:${process.env['PATH']}` };
      const where = `root@127.0.0.1:${sshd.port}`;
      const authorizedKeys = join(userHome, '.ssh', 'authorized_keys');
      const before = readFileSync(authorizedKeys, 'utf8');
      for (let time = 0; time < 2; time += 1) {
        expect(await phone.run(['identity', 'install', 'work', where], { env })).toMatchObject({
          status: 0,
          stdout: 'installed: the server accepts this key\n',
          stderr: '',
        });
        expect(readFileSync(authorizedKeys, 'utf8')).toBe(`${before}\n${line}\n`);
      }
      const refused = await phone.run(
        ['identity', 'install', 'work', `root@127.0.0.1:${await freePort()}`],
        { env },
      );
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain('signer: ssh could not append the key (status 255)\nhint: ');

      await pair(headset, phone);
      await knowHost(phone, sshd);
      const signer = await startPhone(phone);
      const running = headset.start(connectTo(sshd, signer, ['id', '-un']));
      await signer.answer(passphrase);
      expect(await running.ended).toMatchObject({ status: 0, stdout: 'root\n' });
    });

    it('measure each hop, and say what to do about the one that fails', async () => {
      const phone = bench.device('signer');
      const headset = bench.device('vmux');
      const doctor = async (...args: string[]) => {
        const { status, stdout } = await headset.run(['doctor', '--json', ...args]);
        const checks = JSON.parse(stdout) as { hop: string; ok: boolean; hint: string | null }[];
        return { status, checks };
      };
      const failing = ({ checks }: Awaited<ReturnType<typeof doctor>>) =>
        checks
          .filter(({ ok, hop }) => !ok && hop !== 'multicast')
          .map(({ hop, hint }) => [hop, hint]);

      expect(failing(await doctor())).toEqual(
        expect.arrayContaining([
          [
            'paired',
            'No phone is paired with this headset. Run "signer pair" on the phone and "vmux pair" here.',
          ],
        ]),
      );
      await createIdentity(phone, 'work', passphrase);
      await pair(headset, phone);
      await knowHost(phone, sshd);
      const signer = await startPhone(phone);
      const where = `root@127.0.0.1:${sshd.port}`;
      const well = await doctor(where, '--phone', signer.address);
      expect(well.checks.map(({ hop }) => hop)).toEqual([
        'event log',
        'multicast',
        'phone found',
        'link',
        'identities',
        'server',
      ]);
      expect(failing(well).filter(([hop]) => hop !== 'phone found')).toEqual([]);

      await phone.run(['identity', 'disable', 'work']);
      const refused = `root@127.0.0.1:${await freePort()}`;
      const ill = await doctor(refused, '--phone', signer.address);
      expect(ill.status).toBe(1);
      expect(failing(ill).filter(([hop]) => hop !== 'phone found')).toEqual([
        ['identities', expect.stringContaining('Enable or create one there')],
        ['server', 'Check the port, and that sshd is running there.'],
      ]);
      signer.kill('SIGTERM');
      await signer.ended;
      const gone = await headset.run(['doctor', '--phone', signer.address]);
      expect(gone.status).toBe(1);
      expect(gone.stdout).toMatch(/^FAIL {2}link +\d+ ms {2}not up\n +hint: /m);
    }, 60_000);
  });
});
