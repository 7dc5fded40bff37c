import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readLoginNotes } from '../../adapters/agent/login-notes.ts';
import { createBench, type Device } from '../support/program-driver.ts';
import { openTerminal, tmuxMissing } from '../support/program-terminal.ts';
import { hasSshd, makeHostKey, startSshd, type Sshd } from '../support/sshd.ts';

const bench = createBench();
const socket = join(bench.directory, 'agent.sock');
let agent: Server;
let callers = 0;

beforeAll(async () => {
  agent = await listenAt(socket);
});
afterAll(async () => {
  agent.close();
  await bench.clear();
});

/** An agent's place, with nobody who answers there. */
async function listenAt(path: string): Promise<Server> {
  const server = createServer((caller) => {
    callers += 1;
    caller.destroy();
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return server;
}

const knownHosts = join(bench.directory, 'known_hosts');
const modeOf = (path: string) => statSync(path).mode & 0o777;

const helperOf = ({ home }: Device) => join(home, 'agent', 'name-helper');
const notesOf = ({ home }: Device) => join(home, 'agent', 'notes');

/** The notes as they stand there, each as its lines. */
const notesIn = (device: Device) =>
  readdirSync(notesOf(device)).map((name) =>
    readFileSync(join(notesOf(device), name), 'utf8').split('\n'),
  );

async function lines(device: Device, at = socket): Promise<string> {
  const printed = await device.run(['agent', 'ssh-config', '--socket', at]);
  expect(printed).toMatchObject({ status: 0, signal: null });
  return printed.stdout;
}

describe('vmux agent ssh-config', () => {
  it('prints the lines and nothing else, and installs the helper for its owner alone', async () => {
    const device = bench.device('vmux');
    const home = device.env['HOME'] ?? '';
    expect(await device.run(['agent', 'ssh-config'])).toEqual({
      status: 0,
      signal: null,
      stdout:
        'Host *\n' +
        `  IdentityAgent ${home}/.ssh/vmux-agent.sock\n` +
        `  KnownHostsCommand ${helperOf(device)} ${home}/.ssh/vmux-agent.sock -- %I %H %n %p %r %f\n`,
      stderr:
        'hint: these lines belong at the end of ~/.ssh/config; what it says above them goes first\n' +
        'hint: "IdentityAgent SSH_AUTH_SOCK" above them keeps your other agent for a host\n' +
        'hint: ssh 8.9 or later proves to the phone which server it is\n',
    });
    expect(modeOf(helperOf(device))).toBe(0o700);
    expect(modeOf(notesOf(device))).toBe(0o700);
    expect(modeOf(dirname(helperOf(device)))).toBe(0o700);
    expect(readdirSync(dirname(helperOf(device))).toSorted()).toEqual(['name-helper', 'notes']);
  });

  it('says ~ where ssh means the same by it', async () => {
    const device = bench.device('vmux');
    const { homedir } = userInfo();
    const { stdout } = await device.run(['agent', 'ssh-config'], { env: { HOME: homedir } });
    expect(stdout).toContain('  IdentityAgent ~/.ssh/vmux-agent.sock\n');
    expect(stdout).toContain(` ${homedir}/.ssh/vmux-agent.sock -- %I`);
  });

  it('puts an older helper, or one that others can change, right again', async () => {
    const device = bench.device('vmux');
    await lines(device);
    const script = readFileSync(helperOf(device), 'utf8');
    writeFileSync(helperOf(device), '#!/bin/sh\nexit 1\n');
    await lines(device);
    expect(readFileSync(helperOf(device), 'utf8')).toBe(script);
    chmodSync(helperOf(device), 0o777);
    await lines(device);
    expect(modeOf(helperOf(device))).toBe(0o700);
  });

  it('refuses paths that ssh_config cannot name, and makes nothing', async () => {
    const device = bench.device('vmux');
    for (const path of ['a"b', 'a\\b', 'a${HOME}b', 'a\nb', '']) {
      const { status, stdout } = await device.run(['agent', 'ssh-config', '--socket', path]);
      expect([path, status, stdout]).toEqual([path, 2, '']);
    }
    expect(existsSync(device.home)).toBe(false);
  });

  it('ends with 2 for an action that there is not', async () => {
    const device = bench.device('vmux');
    for (const args of [['serve'], ['install', 'now'], ['ssh-config', '--plain']]) {
      const { status, stdout, stderr } = await device.run(['agent', ...args]);
      expect([args, status, stdout]).toEqual([args, 2, '']);
      expect(stderr).toMatch(/^vmux: .+\nhint: see vmux agent --help\n$/);
    }
  });
});

describe.each(['dash', 'bash'])('the helper, run by %s', (shell) => {
  const exists = spawnSync(shell, ['-c', ':']).error === undefined;
  const told = ['--', 'HOSTNAME', '[192.0.2.7]:22', 'box', '22', 'root', 'SHA256:x'];
  let device: Device;

  beforeEach(async () => {
    device = bench.device('vmux');
    await lines(device);
  });

  interface Running {
    args?: string[];
    env?: Record<string, string>;
    /** A line of shell that runs it as `"$@"`. */
    by?: string;
  }

  const help = ({ args = [socket, ...told], env = {}, by = '"$@"' }: Running = {}) => {
    const words = ['-c', by, 'sh', shell, helperOf(device), ...args];
    const { status, stdout, stderr } = spawnSync('sh', words, {
      env: { PATH: process.env['PATH'], ...env },
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  const silent = { status: 0, stdout: '', stderr: '' };

  describe.skipIf(!exists)(exists ? 'which is here' : `[skipped: no ${shell}]`, () => {
    it('writes one note, for its owner alone, and prints nothing', () => {
      expect(help()).toEqual(silent);
      const [name = '', ...others] = readdirSync(notesOf(device));
      expect(others).toEqual([]);
      expect(modeOf(join(notesOf(device), name))).toBe(0o600);
      expect(readFileSync(join(notesOf(device), name), 'utf8')).toMatch(
        /^vmux-login-note 1\n\d+\n\[192\.0\.2\.7\]:22\nbox\n22\nroot\nSHA256:x\n\d\d\nend\n$/,
      );
    });

    it('draws codes of two digits that differ', () => {
      for (let i = 0; i < 20; i += 1) help();
      const codes = notesIn(device).map((note) => note[7] ?? '');
      expect(codes.filter((code) => !/^\d\d$/.test(code))).toEqual([]);
      expect(codes.length).toBe(20);
      expect(new Set(codes).size).toBeGreaterThan(5);
    });

    it('does nothing unless ssh asks for a host by name and the agent’s socket is there', () => {
      for (const [at, why] of [
        [socket, 'ORDER'],
        [socket, 'ADDRESS'],
        [`${socket}.none`, 'HOSTNAME'],
        [helperOf(device), 'HOSTNAME'],
        ['-n', 'HOSTNAME'],
        ['', 'HOSTNAME'],
      ] as const) {
        const args = [at, '--', why, ...told.slice(2)];
        expect([args, help({ args })]).toEqual([args, silent]);
      }
      expect(notesIn(device)).toEqual([]);
    });

    it('takes what ssh tells it as data', () => {
      const odd = ['-n', '$(touch pwned)', '`id`; exit 3', '%s%n\\n\\c', '*', '-e'];
      for (const text of odd) {
        expect(help({ args: [socket, '--', 'HOSTNAME', text, text, text, text, text] })).toEqual(
          silent,
        );
      }
      expect(
        notesIn(device)
          .map((note) => note.slice(2, 7))
          .toSorted(),
      ).toEqual(odd.map((text) => Array.from({ length: 5 }, () => text)).toSorted());
      expect(existsSync('pwned')).toBe(false);
    });

    it('never fails: odd arguments', () => {
      for (const args of [[], [''], [socket], [socket, ...told, 'more'], told, ['--', ...told]]) {
        expect([args, help({ args })]).toEqual([args, silent]);
      }
      expect(notesIn(device)).toEqual([]);
    });

    it('never fails: no directory for notes, a file in its place, or no tools in PATH', () => {
      rmSync(notesOf(device), { recursive: true });
      expect(help()).toEqual(silent);
      writeFileSync(notesOf(device), '');
      expect(help()).toEqual(silent);
      rmSync(notesOf(device));
      mkdirSync(notesOf(device));
      const path = execFileSync('sh', ['-c', `command -v ${shell}`], { encoding: 'utf8' }).trim();
      expect(help({ by: `PATH=/nowhere; export PATH; shift; ${path} "$@"` })).toEqual(silent);
      expect(notesIn(device)).toEqual([]);
    });

    it('never fails: closed standard streams, strange variables', () => {
      expect(help({ by: '"$@" <&- >&- 2>&-; echo $?' })).toEqual({ ...silent, stdout: '0\n' });
      const env = { IFS: '0123456789', ENV: '/nowhere', PPID: '1', CDPATH: '/', code: 'x' };
      expect(help({ env })).toEqual(silent);
      expect(notesIn(device).length).toBeLessThanOrEqual(2);
    });

    const alone = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;
    it.skipIf(!alone)(
      `never fails: a full disk${alone ? '' : ' [skipped: cannot mount here]'}`,
      () => {
        const notes = notesOf(device);
        const full = `mount -t tmpfs -o size=4k none '${notes}'; echo > '${notes}/x'; "$@"; echo $?; cat '${notes}'/*-*`;
        const by = `unshare -m sh -c "$0" sh "$@"`;
        const words = ['-c', by, full, shell, helperOf(device), socket, ...told];
        const { stdout, stderr } = spawnSync('sh', words, { encoding: 'utf8' });
        expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
      },
    );
  });
});

describe.skipIf(!hasSshd)(
  `stock ssh with these lines${hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]'}`,
  () => {
    let device: Device;
    let sshd: Sshd;
    let inner: Sshd;
    let config: string;
    let fingerprint: string;

    beforeAll(async () => {
      const key = makeHostKey(join(bench.directory, 'user-key'), 'ed25519');
      const options = { prefix: bench.prefix, authorizedKeys: [key.publicKey] };
      sshd = await startSshd(options);
      inner = await startSshd(options);
      fingerprint = fingerprintOf(`${sshd.hostKeys.ed25519?.path}.pub`);
      device = bench.device('vmux');
    });
    afterAll(async () => {
      await sshd?.stop();
      await inner?.stop();
    });
    beforeEach(async () => {
      await configure([]);
    });
    afterEach(() => rmSync(notesOf(device), { recursive: true, force: true }));

    /** Writes the configuration that a person would have, with `more` above the printed lines. */
    async function configure(more: string[], at = socket, of = device): Promise<void> {
      config = join(bench.directory, 'ssh_config');
      const own = [
        ...more,
        'Host box',
        '  HostName 127.0.0.1',
        `  Port ${sshd.port}`,
        'Host inner',
        '  HostName 127.0.0.1',
        `  Port ${inner.port}`,
        'Host *',
        '  User root',
        `  IdentityFile ${join(bench.directory, 'user-key')}`,
        '  IdentitiesOnly yes',
        `  UserKnownHostsFile ${knownHosts}`,
        '  GlobalKnownHostsFile /dev/null',
        '  StrictHostKeyChecking yes',
        '  BatchMode yes',
      ];
      writeFileSync(config, `${own.join('\n')}\n${await lines(of, at)}`);
      const entries = [sshd, inner].map(
        ({ port, hostKeys }) => `[127.0.0.1]:${port} ${hostKeys.ed25519?.publicKey}\n`,
      );
      writeFileSync(knownHosts, entries.join(''));
    }

    function ssh(...args: string[]): Promise<{ pid: number; status: number | null; text: string }> {
      const [file = '', ...words] = [...bench.prefix, 'ssh', '-F', config, ...args];
      const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'pipe'] });
      let text = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
      }
      return new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (status) => resolve({ pid: child.pid ?? 0, status, text }));
      });
    }

    const noteOf = (
      pid: number | undefined,
      host: string,
      port: number,
      user = 'root',
      key = fingerprint,
      knownAs = `[127.0.0.1]:${port}`,
    ) => [
      'vmux-login-note 1',
      pid === undefined ? expect.stringMatching(/^\d+$/) : String(pid),
      knownAs,
      host,
      String(port),
      user,
      key,
      expect.stringMatching(/^\d\d$/),
      'end',
      '',
    ];

    it('logs in as before, and one note says how the server was named', async () => {
      const { pid, status, text } = await ssh('box', 'echo', 'hello');
      expect({ status, text }).toEqual({ status: 0, text: 'hello\n' });
      expect(notesIn(device)).toEqual([noteOf(pid, 'box', sshd.port)]);
    });

    it('leaves a note that can be taken while ssh runs, and not when it has ended', async () => {
      const notes = readLoginNotes(notesOf(device));
      const wanted = { hostKeyFingerprint: fingerprint, user: 'root' };
      const [file = '', ...words] = [...bench.prefix, 'ssh', '-F', config, 'box', 'echo; cat'];
      const login = spawn(file, words, { stdio: 'pipe' });
      const ended = new Promise((resolve) => login.once('close', resolve));
      await new Promise((resolve) => login.stdout.once('data', resolve));
      expect(notes.take({ ...wanted, user: 'other' })).toBe(null);
      expect(notes.take(wanted)).toEqual({
        host: 'box',
        port: sshd.port,
        user: 'root',
        hostKeyFingerprint: fingerprint,
        code: expect.stringMatching(/^\d\d$/),
      });
      expect(notesIn(device)).toEqual([]);
      login.stdin.end();
      await ended;
      await ssh('box', 'true');
      expect(notes.take(wanted)).toBe(null);
      notes.sweep();
      expect(notesIn(device)).toEqual([]);
    });

    it('takes the name as typed: a server by its address, an ssh:// URI, an upper-case alias', async () => {
      await ssh(`ssh://root@127.0.0.1:${sshd.port}`, 'true');
      await ssh('-p', String(sshd.port), '127.0.0.1', 'true');
      await ssh('-o', `HostName=127.0.0.1`, '-p', String(sshd.port), 'BoX.Example', 'true');
      expect(notesIn(device).map(([, , , host]) => host)).toEqual(
        expect.arrayContaining(['127.0.0.1', '127.0.0.1', 'BoX.Example']),
      );
      expect(notesIn(device).length).toBe(3);
    });

    it('knows a server by a hashed line of known_hosts', async () => {
      execFileSync('ssh-keygen', ['-q', '-H', '-f', knownHosts], { stdio: 'ignore' });
      expect(readFileSync(knownHosts, 'utf8')).not.toContain('127.0.0.1');
      const { pid, status } = await ssh('box', 'true');
      expect(status).toBe(0);
      expect(notesIn(device)).toEqual([noteOf(pid, 'box', sshd.port)]);
    });

    it('still refuses a host key that is not known', async () => {
      writeFileSync(knownHosts, '');
      const { status, text } = await ssh('box', 'true');
      expect(status).toBe(255);
      expect(text).toContain('Host key verification failed.');
    });

    it('writes a note for each hop of -J', async () => {
      const { status } = await ssh('-J', 'box', 'inner', 'true');
      expect(status).toBe(0);
      const innerKey = fingerprintOf(`${inner.hostKeys.ed25519?.path}.pub`);
      const notes = notesIn(device).toSorted(([, , , a = ''], [, , , b = '']) =>
        a.localeCompare(b),
      );
      expect(notes).toEqual([
        noteOf(undefined, 'box', sshd.port),
        noteOf(undefined, 'inner', inner.port, 'root', innerKey),
      ]);
      expect(notes[0]?.[1]).not.toBe(notes[1]?.[1]);
    });

    it('writes none for a second session of a shared connection', async () => {
      await configure([`ControlPath ${join(bench.directory, 'control')}`]);
      const master = ssh('-M', '-N', 'box');
      try {
        await expect.poll(() => existsSync(join(bench.directory, 'control'))).toBe(true);
        expect(notesIn(device).length).toBe(1);
        expect(await ssh('box', 'echo', 'second')).toMatchObject({ status: 0, text: 'second\n' });
        expect(notesIn(device).length).toBe(1);
      } finally {
        await ssh('-O', 'exit', 'box');
        await master;
      }
    });

    it.each(['a b', '$(touch pwned)', '-oProxyCommand=x', "'`;&|", 'ü\u{202e}x'])(
      'takes the user %s as data',
      async (user) => {
        await configure([`User "${user}"`]);
        const { pid, status } = await ssh('box', 'true');
        expect(status).toBe(255);
        expect(notesIn(device)).toEqual([noteOf(pid, 'box', sshd.port, user)]);
        expect(existsSync('pwned')).toBe(false);
      },
    );

    it('takes a name that begins with a dash as data', async () => {
      await configure(['HostKeyAlias "-n $(touch pwned)"', 'StrictHostKeyChecking no']);
      const { pid, status } = await ssh('box', 'true');
      expect(status).toBe(0);
      expect(notesIn(device)).toEqual([
        noteOf(pid, 'box', sshd.port, 'root', fingerprint, '-n $(touch pwned)'),
      ]);
      expect(existsSync('pwned')).toBe(false);
    });

    it('has the fingerprint of the plain key of a server with a host certificate', async () => {
      const ca = makeHostKey(join(bench.directory, 'ca'), 'ed25519');
      const key = join(bench.directory, 'certified');
      makeHostKey(key, 'ed25519');
      const sign = ['-q', '-s', ca.path, '-I', 'id', '-h', '-n', 'certified', `${key}.pub`];
      execFileSync('ssh-keygen', sign);
      const certified = await startSshd({
        prefix: bench.prefix,
        hostKeyTypes: [],
        config: [`HostKey ${key}`, `HostCertificate ${key}-cert.pub`],
        authorizedKeys: [readFileSync(join(bench.directory, 'user-key.pub'), 'utf8').trim()],
      });
      try {
        writeFileSync(knownHosts, `@cert-authority * ${ca.publicKey}\n`);
        const options = ['-o', 'HostName=127.0.0.1', '-o', 'HostKeyAlias=certified'];
        const port = ['-p', String(certified.port)];
        const { pid, status } = await ssh(...options, ...port, 'name', 'true');
        expect(status).toBe(0);
        const note = noteOf(pid, 'name', certified.port, 'root', fingerprintOf(`${key}.pub`));
        expect(notesIn(device)).toEqual([note.with(2, 'certified')]);
      } finally {
        await certified.stop();
      }
    });

    it('finds agent and helper by paths with spaces and with what ssh itself expands', async () => {
      const odd = bench.device('vmux', "it's 100%h $HOME #1");
      const path = join(bench.directory, "a 50%n '#.sock");
      const server = await listenAt(path);
      try {
        await configure(['IdentitiesOnly no'], path, odd);
        const [file = '', ...words] = [...bench.prefix, 'ssh', '-F', config, '-G', 'box'];
        expect(
          execFileSync(file, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
        ).toContain(`identityagent ${path}\n`);
        const before = callers;
        const { pid, status } = await ssh('box', 'true');
        expect(status).toBe(0);
        expect(notesIn(odd)).toEqual([noteOf(pid, 'box', sshd.port)]);
        expect(callers).toBe(before + 1);
      } finally {
        server.close();
      }
    });

    it('logs in just the same without an agent, or without a place for notes', async () => {
      const away = `${notesOf(device)}.away`;
      renameSync(notesOf(device), away);
      expect(await ssh('box', 'echo', 'a')).toMatchObject({ status: 0, text: 'a\n' });
      writeFileSync(notesOf(device), '');
      expect(await ssh('box', 'echo', 'b')).toMatchObject({ status: 0, text: 'b\n' });
      rmSync(notesOf(device));
      renameSync(away, notesOf(device));
      await configure([], `${socket}.none`);
      expect(await ssh('box', 'echo', 'c')).toMatchObject({ status: 0, text: 'c\n' });
      expect(notesIn(device)).toEqual([]);
    });

    it.skipIf(tmuxMissing !== null)(
      `shows the code in a terminal, and not to a pipe${tmuxMissing === null ? '' : ` [skipped: ${tmuxMissing}]`}`,
      async () => {
        const terminal = await openTerminal(device);
        try {
          terminal.type(`ssh -F '${config}' box echo in`);
          terminal.press('Enter');
          const [, code] = await terminal.shows(
            /^Waiting for iPhone signer… code (\d\d)\n(?:.*\n)*in$/m,
          );
          expect(notesIn(device).map((note) => note[7])).toEqual([code]);
          terminal.type(`clear; ssh -F '${config}' box echo out 2>&1 | cat; echo over`);
          terminal.press('Enter');
          await terminal.shows(/^over$/m);
          expect(terminal.screen()).not.toContain('Waiting');
          expect(notesIn(device).length).toBe(2);
        } finally {
          terminal.close();
        }
      },
    );
  },
);

function fingerprintOf(publicKey: string): string {
  const line = execFileSync('ssh-keygen', ['-l', '-f', publicKey], { encoding: 'utf8' });
  return line.split(' ')[1] ?? '';
}
