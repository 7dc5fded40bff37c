import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { isPassing } from '../../app/headset/agent/background-program.ts';
import { createBench, launcher, type Device, type Ended } from '../support/program-driver.ts';

const bench = createBench('shared');
afterAll(() => bench.clear());

const tools = join(bench.directory, 'tools');
const asked = join(tools, 'asked');
const refusal = join(tools, 'refusal');
let device: Device;
let home: string;

/** A `systemctl` and a `launchctl` that note what they are asked, and obey unless told otherwise. */
beforeEach(() => {
  mkdirSync(tools, { recursive: true });
  rmSync(refusal, { force: true });
  for (const name of ['systemctl', 'launchctl']) {
    writeFileSync(
      join(tools, name),
      `#!/bin/sh
echo "${name} $*" >> '${asked}'
[ -e '${refusal}' ] || exit 0
cat '${refusal}' >&2
exit 1
`,
    );
    chmodSync(join(tools, name), 0o755);
  }
  writeFileSync(asked, '');
  device = bench.device('vmux');
  home = device.env['HOME'] ?? '';
});

const path = [tools, process.env['PATH']].join(delimiter);
const agent = (args: string[], env: Record<string, string> = {}): Promise<Ended> =>
  device.run(['agent', ...args], { env: { PATH: path, ...env } });
const askedFor = () => readFileSync(asked, 'utf8').split('\n').slice(0, -1);

const unitPath = () => join(home, '.config/systemd/user/vmux-agent.service');
const done = (stdout: string, stderr = '') => ({ status: 0, signal: null, stdout, stderr });

const onLinux = process.platform === 'linux';
const otherwise = onLinux ? '' : ' [skipped: not on Linux]';

const startWords = [
  'systemctl --user daemon-reload',
  'systemctl --user enable --now vmux-agent.service',
];
/** In a checkout that is in a temporary directory, the warning about that. */
const vanishing = [process.execPath, launcher('vmux')].find(isPassing);
const warning =
  vanishing === undefined
    ? ''
    : `hint: ${vanishing} is in a place that gets cleared, and the agent with it\n` +
      'hint: npm install --global vmux-signer, then vmux agent install again\n';
const next = `${warning}hint: vmux agent ssh-config prints the lines for ~/.ssh/config\n`;
const started = 'the agent is running, and starts at each login\n';

describe.skipIf(!onLinux)(`vmux agent install on Linux${otherwise}`, () => {
  it('writes a unit with absolute paths for its owner alone, and has it started', async () => {
    expect(await agent(['install'])).toEqual(done(`wrote ${unitPath()}\n${started}`, next));
    expect(readFileSync(unitPath(), 'utf8')).toBe(`# Written by vmux agent install.
[Unit]
Description=SSH agent whose signatures are approved on the phone
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
ExecStart="${process.execPath}" "${launcher('vmux')}" "agent" "--plain"
Environment="VMUX_HOME=${device.home}"
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2
UMask=0077
LimitCORE=0
NoNewPrivileges=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native

[Install]
WantedBy=default.target
`);
    expect(statSync(unitPath()).mode & 0o777).toBe(0o600);
    expect(readdirSync(dirname(unitPath()))).toEqual(['vmux-agent.service']);
    expect(askedFor()).toEqual(startWords);
  });

  it('names neither socket nor state directory where they are the usual ones', async () => {
    const usual = { VMUX_HOME: join(home, '.vmux') };
    await agent(['install', '--socket', join(home, '.ssh/vmux-agent.sock')], usual);
    const unit = readFileSync(unitPath(), 'utf8');
    expect(unit).toContain('"agent" "--plain"\nRestart=');
  });

  it('restarts an agent that was installed before', async () => {
    await agent(['install']);
    writeFileSync(asked, '');
    const socket = join(bench.directory, 'other.sock');
    expect((await agent(['install', '--socket', socket])).status).toBe(0);
    expect(askedFor()).toEqual([...startWords, 'systemctl --user restart vmux-agent.service']);
    expect(readFileSync(unitPath(), 'utf8')).toContain(`"--plain" "--socket" "${socket}"\n`);
  });

  it('goes by XDG_CONFIG_HOME, if that is absolute', async () => {
    const config = join(bench.directory, 'config');
    await agent(['install'], { XDG_CONFIG_HOME: config });
    expect(existsSync(join(config, 'systemd/user/vmux-agent.service'))).toBe(true);
    expect(existsSync(unitPath())).toBe(false);
    await agent(['install'], { XDG_CONFIG_HOME: 'config' });
    expect(existsSync(unitPath())).toBe(true);
  });

  it('says what to run where no systemd of the person answers, or none is there', async () => {
    writeFileSync(refusal, 'Failed to connect to bus: No medium found\n');
    const hint =
      'hint: the agent was not started; in a session of your own, run\n' +
      startWords.map((words) => `  ${words}\n`).join('');
    expect(await agent(['install'])).toEqual({
      status: 1,
      signal: null,
      stdout: `wrote ${unitPath()}\n`,
      stderr: `${warning}vmux: systemctl: Failed to connect to bus: No medium found\n${hint}`,
    });
    expect(askedFor()).toEqual(startWords.slice(0, 1));
    expect(existsSync(unitPath())).toBe(true);
    const empty = join(bench.directory, 'empty');
    mkdirSync(empty, { recursive: true });
    expect(await agent(['install'], { PATH: empty })).toMatchObject({
      status: 1,
      stderr: `${warning}vmux: no systemctl on this machine\n${hint}`,
    });
  });

  it('touches no file that it did not write', async () => {
    mkdirSync(dirname(unitPath()), { recursive: true });
    const theirs = '[Service]\nExecStart=/bin/true\n# Written by vmux agent install.\n';
    writeFileSync(unitPath(), theirs);
    for (const action of ['install', 'uninstall']) {
      expect(await agent([action])).toEqual({
        status: 1,
        signal: null,
        stdout: '',
        stderr:
          `vmux: ${unitPath()} was not written by vmux agent install\n` +
          'hint: it was left as it is; move it aside\n',
      });
    }
    expect(readFileSync(unitPath(), 'utf8')).toBe(theirs);
    expect(askedFor()).toEqual([]);
  });

  it('refuses paths with control characters', async () => {
    const { status } = await agent(['install', '--socket', '/run/a\nExecStart=/bin/false']);
    expect(status).toBe(2);
    expect(existsSync(unitPath())).toBe(false);
  });

  const verifies = spawnSync('systemd-analyze', ['--version']).error === undefined;
  it.skipIf(!verifies)(
    `systemd understands the unit, whatever the paths are${verifies ? '' : ' [skipped: no systemd-analyze]'}`,
    async () => {
      const odd = join(bench.directory, `a "b" 'c' %h $HOME \\d`);
      await agent(['install', '--socket', join(odd, 'sock')], { VMUX_HOME: odd });
      const runtime = join(bench.directory, 'runtime');
      mkdirSync(runtime, { recursive: true, mode: 0o700 });
      const { status, stdout, stderr } = spawnSync(
        'systemd-analyze',
        ['--user', 'verify', unitPath()],
        { encoding: 'utf8', env: { PATH: path, HOME: home, XDG_RUNTIME_DIR: runtime } },
      );
      const about = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('vmux-agent'));
      expect({ status, about }).toEqual({ status: 0, about: [] });
      const unit = readFileSync(unitPath(), 'utf8');
      const there = join(bench.directory, String.raw`a \"b\" 'c' %%h`);
      expect(unit).toContain(String.raw`"--socket" "${there} $$HOME \\d/sock"`);
      expect(unit).toContain(String.raw`Environment="VMUX_HOME=${there} $HOME \\d"`);
    },
  );
});

describe.skipIf(!onLinux)(`vmux agent uninstall${otherwise}`, () => {
  it('stops the agent and removes what install wrote', async () => {
    await agent(['install']);
    writeFileSync(asked, '');
    expect(await agent(['uninstall'])).toEqual(done(`removed ${unitPath()}\n`));
    expect(askedFor()).toEqual([
      'systemctl --user disable --now vmux-agent.service',
      'systemctl --user daemon-reload',
    ]);
    expect(readdirSync(dirname(unitPath()))).toEqual([]);
    expect(await agent(['uninstall'])).toEqual(done('the agent is not installed\n'));
  });

  it('says that an agent may go on where systemd cannot be asked', async () => {
    await agent(['install']);
    writeFileSync(refusal, 'Failed to connect to bus\n');
    expect(await agent(['uninstall'])).toEqual(
      done(
        `removed ${unitPath()}\n`,
        'hint: an agent that runs now may go on (systemctl: Failed to connect to bus)\n',
      ),
    );
  });

  it('names the lines of ssh_config that are left, in included files too, and edits none', async () => {
    const config = join(home, '.ssh/config');
    const more = join(home, '.ssh/config.d/50 agent.conf');
    const deep = join(home, 'deep.conf');
    mkdirSync(dirname(more), { recursive: true });
    const socket = join(home, '.ssh/vmux-agent.sock');
    const { stdout: printed } = await agent(['ssh-config']);
    const files: [string, string][] = [
      [config, `Include config.d/*.conf ${deep}\nHost a\n  Port 22\n# ${socket}\n${printed}`],
      [more, `Include "${config}"\nHost b\n\tIdentityAgent = "${socket}"\u{1b}[2J\n`],
      [deep, `include=~/none ~/.ssh/config\nHost c\n  IdentityAgent none\n`],
    ];
    for (const [file, text] of files) writeFileSync(file, text);
    const lines = printed.split('\n').map((line) => line.trim());
    expect(await agent(['uninstall'])).toEqual(
      done(
        'the agent is not installed\n' +
          `${more}:3: IdentityAgent = "${socket}"\\u{001B}[2J\n` +
          `${config}:6: ${lines[1]}\n` +
          `${config}:7: ${lines[2]}\n`,
        'hint: ssh works with these lines too; take them out by hand\n',
      ),
    );
    for (const [file, text] of files) expect(readFileSync(file, 'utf8')).toBe(text);
  });
});

const plistPath = () => join(home, 'Library/LaunchAgents/io.vmux.agent.plist');
const session = `gui/${process.getuid?.()}`;

/** As the command does it there. */
function onMac(action: 'installAgent' | 'uninstallAgent', socket: string, vmuxHome: string) {
  const module = pathToFileURL('app/headset/agent/install.ts').href;
  const program = `import { ${action} } from ${JSON.stringify(module)};
    process.exitCode = await ${action}(${JSON.stringify(socket)}, 'darwin');`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', program],
    { encoding: 'utf8', env: { ...device.env, PATH: path, VMUX_HOME: vmuxHome } },
  );
  return { status, signal: null, stdout, stderr };
}

describe('vmux agent install on macOS', () => {
  it('writes a property list and has launchd start it, again and again', () => {
    const socket = join(home, '.ssh/vmux-agent.sock');
    const bootstrap = `launchctl bootstrap ${session} ${plistPath()}`;
    const install = () => onMac('installAgent', socket, join(home, '.vmux'));
    expect(install()).toEqual(done(`wrote ${plistPath()}\n${started}`, next));
    expect(askedFor()).toEqual([bootstrap]);
    expect(install().status).toBe(0);
    const bootout = `launchctl bootout ${session}/io.vmux.agent`;
    expect(askedFor()).toEqual([bootstrap, bootout, bootstrap]);
    expect(onMac('uninstallAgent', socket, join(home, '.vmux'))).toEqual(
      done(`removed ${plistPath()}\n`),
    );
    expect(askedFor()).toEqual([bootstrap, bootout, bootstrap, bootout]);
    expect(existsSync(plistPath())).toBe(false);
  });

  it('says what to run where launchd refuses', () => {
    writeFileSync(refusal, 'Bootstrap failed: 5: Input/output error\n');
    expect(onMac('installAgent', join(home, 'a.sock'), device.home)).toMatchObject({
      status: 1,
      stderr:
        `${warning}vmux: launchctl: Bootstrap failed: 5: Input/output error\n` +
        'hint: the agent was not started; in a session of your own, run\n' +
        `  launchctl bootstrap ${session} ${plistPath()}\n`,
    });
  });

  const python = spawnSync('python3', ['-c', 'import plistlib']).status === 0;
  it.skipIf(!python)(
    `the property list says what it should to another reader of such lists${python ? '' : ' [skipped: no python3]'}`,
    () => {
      const odd = join(bench.directory, `<a> & "b" 'c' ]]> %h $HOME \\d ü`);
      onMac('installAgent', join(odd, 'sock'), odd);
      const json = execFileSync(
        'python3',
        [
          '-c',
          'import json,plistlib,sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))',
        ],
        { input: readFileSync(plistPath()), encoding: 'utf8' },
      );
      expect(JSON.parse(json)).toEqual({
        Label: 'io.vmux.agent',
        ProgramArguments: [
          process.execPath,
          launcher('vmux'),
          'agent',
          '--plain',
          '--socket',
          join(odd, 'sock'),
        ],
        EnvironmentVariables: { VMUX_HOME: odd },
        RunAtLoad: true,
        KeepAlive: { SuccessfulExit: false },
        ThrottleInterval: 10,
        ProcessType: 'Interactive',
        Umask: 0o077,
      });
    },
  );
});

describe('a program that will vanish', () => {
  it('is one in a cache of npx or in a temporary directory', () => {
    const passing = [
      '/home/u/.npm/_npx/1a2b/node_modules/vmux-signer/app/bin/vmux.js',
      '/tmp/checkout/app/bin/vmux.js',
      '/var/tmp/x',
      join(bench.directory, 'app/bin/vmux.js'),
    ];
    const staying = ['/usr/bin/node', '/home/u/tmp/vmux.js', '/home/u/_npxes/x', '/tmpfiles/x'];
    expect(passing.filter((path) => !isPassing(path))).toEqual([]);
    expect(staying.filter(isPassing)).toEqual([]);
  });
});
