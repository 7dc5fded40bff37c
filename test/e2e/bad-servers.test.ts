import { writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBench, type Ended } from '../support/program-driver.ts';
import { runsOf, untold } from '../support/program-logs.ts';
import {
  createIdentity,
  knowHost,
  pair,
  type Phone,
  PROMPT,
  startPhone,
} from '../support/program-story.ts';
import { freePort, hasSshd, startSshd, type Sshd } from '../support/sshd.ts';

const passphrase = 'four words and more';
/** Rings, moves the cursor, reverses the reading direction and hides. */
const hostile = 'a\x07b\x1b[2Jc\u202Ed\u200Be';
const escaped = String.raw`a\u{0007}b\u{001B}[2Jc\u{202E}d\u{200B}e`;

describe('vmux connect to what is no good server', () => {
  const bench = createBench('shared');
  const headset = bench.device('vmux');
  const phone = bench.device('signer');
  const servers: Server[] = [];
  let signer: Phone;
  let identity = '';
  /** Begun first and awaited last: its twenty seconds pass beside the other tests. */
  let toSilence: Promise<Ended>;

  beforeAll(async () => {
    identity = await createIdentity(phone, 'work', passphrase);
    await pair(headset, phone, { headset: hostile, phone: hostile });
    signer = await startPhone(phone);
    toSilence = connect(await serve(() => {}));
  });
  afterAll(async () => {
    for (const server of servers) server.close();
    await bench.clear();
  });

  const connect = (where: string, ...options: string[]) =>
    headset.run(['connect', where, '--phone', signer.address, ...options, '--', 'true']);

  async function serve(talk: (socket: Socket) => void): Promise<string> {
    const server = createServer((socket) => talk(socket.on('error', () => {})));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `root@127.0.0.1:${(server.address() as { port: number }).port}`;
  }

  it('says that a host name is not known', async () => {
    const { status, stdout, stderr } = await connect('root@no-such-host.invalid');
    expect({ status, stdout }).toEqual({ status: 255, stdout: '' });
    expect(stderr).toMatch(
      /^vmux: The host name could not be resolved\..*\nhint: Check its spelling/,
    );
  });

  it('says that a port refused', async () => {
    const { status, stderr } = await connect(`root@127.0.0.1:${await freePort()}`);
    expect(status).toBe(255);
    expect(stderr).toMatch(/^vmux: The server refused the connection\..*\nhint: Check the port/);
  });

  it('says that what answers is no SSH server', async () => {
    const where = await serve((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const { status, stderr } = await connect(where);
    expect(status).toBe(255);
    expect(stderr).toMatch(/^vmux: What answers there does not speak SSH\./);
  });

  it('shows a control character of a host or a user as its number, or refuses it', async () => {
    for (const where of [`root@${hostile}`, `${hostile}@127.0.0.1`]) {
      const { status, stderr } = await connect(where);
      expect(status).toBe(255);
      expect(stderr).toMatch(/^vmux: Your ssh configuration does not allow this connection\./);
      expect(stderr).not.toMatch(unsafe);
    }
  });

  it('takes no host or user for an option of ssh', async () => {
    for (const where of ['-oProxyCommand=touch /tmp/never', 'root@-oProxyCommand=x']) {
      const { status, stdout } = await headset.run(['connect', '--', where]);
      expect([status, stdout]).toEqual([2, '']);
      const { status: second } = await connect(where);
      expect(second).toBe(2);
    }
  });

  const noSshd = hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]';
  describe.skipIf(!hasSshd)(`of OpenSSH${noSshd}`, () => {
    let sshd: Sshd;
    afterAll(() => sshd?.stop());

    it('says that a server offers no public-key authentication', async () => {
      const other = await startSshd({
        config: ['PubkeyAuthentication no', 'PasswordAuthentication yes'],
      });
      const { status, stderr } = await connect(
        `root@127.0.0.1:${other.port}`,
        '--accept-new-host-key',
      );
      await other.stop();
      expect(status).toBe(255);
      expect(stderr).toContain('vmux: The server does not offer public-key authentication.\n');
    });

    it('asks nobody about an unknown host key where there is no terminal, and refuses', async () => {
      sshd = await startSshd();
      const { status, stderr } = await connect(`root@127.0.0.1:${sshd.port}`);
      expect(status).toBe(255);
      expect(stderr).toMatch(/unknown host key SHA256:\S+, and no terminal to ask at/);
      expect(stderr).toContain('vmux: The host key was not confirmed.\n');
    });

    it('refuses a host key that has changed', async () => {
      const { port } = sshd;
      await connect(`root@127.0.0.1:${port}`, '--accept-new-host-key');
      await sshd.stop();
      sshd = await startSshd({ port });
      const { status, stderr } = await connect(`root@127.0.0.1:${port}`, '--accept-new-host-key');
      expect(status).toBe(255);
      expect(stderr).toMatch(/^vmux: The host key has CHANGED\./m);
      const forgotten = await headset.run(['hosts', 'forget-key', `127.0.0.1:${port}`]);
      expect(forgotten.stdout).toBe('1 host key forgotten\n');
      const again = await connect(`root@127.0.0.1:${port}`, '--accept-new-host-key');
      expect(again.stderr).toContain('vmux: Permission denied (publickey)\n');
    });

    it('shows what a server and a device call themselves without obeying it', async () => {
      await sshd.stop();
      const banner = `${bench.directory}/banner`;
      writeFileSync(banner, `${hostile}\n`);
      sshd = await startSshd({ config: [`Banner ${banner}`], authorizedKeys: [identity] });
      await knowHost(phone, sshd);
      const running = headset.start([
        'connect',
        `root@127.0.0.1:${sshd.port}`,
        '--phone',
        signer.address,
        '--accept-new-host-key',
        '--',
        'true',
      ]);
      await signer.expect(PROMPT);
      signer.type(`${passphrase}\n`);
      const { status, stderr } = await running.ended;
      expect(status).toBe(0);
      expect(stderr).toContain(`${escaped}\n`);
      expect(signer.stdout().toString()).toContain(`From ${escaped}`);
      const { stdout } = await headset.run(['phones']);
      expect(stdout).toContain(escaped);
      for (const device of [headset, phone]) expect(device.screen()).not.toMatch(unsafe);
    });
  });

  it('says after twenty seconds that a server is silent', async () => {
    const { status, stderr } = await toSilence;
    expect(status).toBe(255);
    expect(stderr).toMatch(/^vmux: The server did not complete the SSH handshake in time\./);
  }, 40_000);

  it('never asked the phone for a signature but once, and its log tells the same', async () => {
    expect(signer.stdout().toString().split('SSH Sign Request').length - 1).toBe(hasSshd ? 1 : 0);
    signer.kill('SIGTERM');
    await signer.ended;
    expect(runsOf(headset, 'connection').length).toBeGreaterThan(5);
    expect(untold(headset)).toEqual([]);
    expect(untold(phone)).toEqual([]);
  });
});

/** What must not reach a person's screen as it is: controls but for line ends, bidi, zero width. */
// oxlint-disable-next-line no-control-regex
const unsafe = /[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/u;
