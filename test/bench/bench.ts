/**
 * `npm run bench`: what it costs to log in with the phone, beside what it replaces. Medians of
 * interleaved runs and their ratios, with the goals; nothing is asserted.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromiumMissing, openBrowser } from '../support/browser.ts';
import { hasSshd, makeHostKey, startSshd } from '../support/sshd.ts';
import { knowHostKey, makeDevices, pinOnPhone, type Devices } from './devices.ts';
import { timeToLink } from './discovery.ts';
import { lengthenedLog, measurePage, repeatedLog, watchFrom } from './inspector.ts';
import { logInWithSsh2, startHeadset, type HeadsetProcess, type LoginTimes } from './login.ts';
import { goal, heading, interleaved, line, median, megabytes, ms, times } from './measure.ts';
import { measureScrypt } from './scrypt.ts';
import { idleMemory, startWaitingPrograms } from './idle.ts';
import { reportPhonePage } from './phone-page.ts';
import { startScriptedPhone } from './phone.ts';
import { startStockSsh } from './stock-ssh.ts';
import { setUpSsh, vmux, wholeProcess, type SshSetup } from './programs.ts';

const HOP_GOAL = 5;
const PROCESS_GOAL = 1.3;
const AGENT_GOAL = 1.05;
const MEMORY_GOAL = 120e6;
const PAGE_GOAL = 1_000;
const STEP_GOAL = 50;
const LIVE_GOAL = 1;
/** In the logs that the inspector opens. */
const EVENTS = 10_000;

/** A phone says nothing twice within a second (RFC 6762 §6), and answers late. Milliseconds. */
const ANSWERED_AGAIN = 1_500;

const ROUNDS = { login: 30, process: 20, agents: 20, discovery: 8, scrypt: 3, page: 5, live: 20 };

/** As root on Linux: no other phone answers there, and nothing leaves this machine. */
function inOwnNetwork(): boolean {
  const inside = 'ip link set lo up && ip link set lo multicast on && exec "$0" "$@"';
  const unshare = ['--net', 'sh', '-c', inside, process.execPath, import.meta.filename, 'inside'];
  if (process.argv[2] === 'inside' || process.platform !== 'linux') return false;
  if (spawnSync('unshare', ['--net', 'sh', '-c', 'ip link set lo up']).status !== 0) return false;
  process.exitCode = spawnSync('unshare', unshare, { stdio: 'inherit' }).status ?? 1;
  return true;
}

async function bench(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'vmux-bench-'));
  const closers: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })];
  try {
    const devices = await makeDevices(directory);
    const unmet = join(directory, 'unmet');
    cpSync(devices.headsetHome, unmet, { recursive: true });
    const waiting = await makeDevices(directory);
    const agentKey = makeHostKey(join(directory, 'agent_key'), 'ecdsa');
    const sshd = await startSshd({
      authorizedKeys: [agentKey.publicKey, devices.keyLine, waiting.keyLine],
    });
    closers.push(sshd.stop);
    const user = userInfo().username;
    const ssh = setUpSsh(sshd, user, agentKey.path);
    closers.push(ssh.stop);
    knowHostKey(devices.headsetHome, sshd);
    for (const { phoneHome } of [devices, waiting]) pinOnPhone(phoneHome, sshd, 'bench');

    const phone = await startScriptedPhone(devices);
    closers.push(phone.stop);
    const headset = await startHeadset(devices.headsetHome, sshd, user, ssh.configFile);
    const privateKey = readFileSync(agentKey.path, 'utf8');
    await reportLogins(() => logInWithSsh2(sshd, user, privateKey), headset.logIn, phone.settled);
    await reportInspector(devices, headset.logIn, directory);
    await headset.close();
    await reportPrograms(devices, ssh);
    const hop = await startSshd({ authorizedKeys: [agentKey.publicKey] });
    closers.push(hop.stop);
    await reportAgents(devices, { sshd, hop, user, keyFile: agentKey.path });
    await closers.pop()?.();
    await reportDiscovery(devices, unmet, directory);
    await closers.pop()?.();

    await reportScrypt();
    await reportMemory(waiting, ssh);
    await reportPhonePage();
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

async function reportLogins(
  withSsh2: () => Promise<number>,
  withPhone: () => Promise<LoginTimes>,
  settled: number[],
): Promise<void> {
  heading('login, from the dial until the server has let us in (the link is up)');
  const parts: LoginTimes[] = [];
  const { plain, phone } = await interleaved(ROUNDS.login, {
    plain: withSsh2,
    async phone() {
      const taken = await withPhone();
      parts.push(taken);
      return taken.login - (settled.at(-1) ?? 0);
    },
  });
  const before = median(plain);
  const signing = median(parts.map((taken) => taken.signing));
  const after = median(phone);
  line('ssh2, key in memory', ms(before));
  line('through the phone, both logs durable', ms(after), times(after / before));
  line('what the phone adds', ms(after - before), goal(after - before, HOP_GOAL, ms));
  line('  from the challenge to the signature', ms(signing - median(settled)));
  line('before the dial: ssh -G, ssh-keygen -F', ms(median(parts.map(({ asking }) => asking))));
  console.log(
    '  left out: scrypt (below), and the 700 ms in which a new sheet takes no input, which',
  );
  console.log(
    `  are a person's: 0 here, and the ${ms(median(settled))} that this takes are subtracted`,
  );
}

async function reportPrograms({ headsetHome }: Devices, { env }: SshSetup): Promise<void> {
  heading('one command on a server, whole processes (the phone approves at once)');
  const { ssh, ours, start } = await interleaved(ROUNDS.process, {
    ssh: () => wholeProcess('ssh', ['bench', 'true'], env),
    ours: () => vmux(['connect', 'bench', '--', 'true'], headsetHome, env),
    start: () => vmux(['--version'], headsetHome, env),
  });
  const ratio = median(ours) / median(ssh);
  line('ssh host true, with ssh-agent', ms(median(ssh)));
  line('vmux connect host -- true', ms(median(ours)), times(ratio));
  line('  the ratio', times(ratio), goal(ratio, PROCESS_GOAL, times));
  line('vmux --version: Node itself, and what every command loads', ms(median(start)));
}

async function reportAgents(
  devices: Devices,
  servers: Parameters<typeof startStockSsh>[1],
): Promise<void> {
  heading('stock ssh: ssh host true, whole process, by what signs (the phone approves at once)');
  const stock = await startStockSsh(devices, servers);
  try {
    const taken = await interleaved(ROUNDS.agents, stock.logIn);
    const before = median(taken.sshAgent);
    const ours = median(taken.ours);
    const ratio = ours / before;
    const added = median(taken.ours.map((value, round) => value - (taken.sshAgent[round] ?? NaN)));
    const report = (what: string, value: number, remark = '') =>
      line(what, ms(value), `${times(value / before)}  ${remark}`.trimEnd());
    const above = (value: number) => `goal: above vmux agent: ${ours < value ? 'met' : 'not met'}`;
    line('ssh-agent', ms(before));
    report('vmux agent', ours, goal(ratio, AGENT_GOAL, times));
    line('  what it adds, round by round', ms(added));
    report('vmux agent, with the KnownHostsCommand line', median(taken.oursNamed));
    report('ssh-add -c, with a program that asks nobody', median(taken.unseen));
    const confirmed = median(taken.confirmed);
    if (Number.isNaN(confirmed)) console.log('  ssh-add -c, answered: left out, no ssh-askpass');
    else report('ssh-add -c, its dialog answered at once', confirmed, above(confirmed));
    const forwarded = median(taken.forwarded);
    report('ssh -A: forwarded through another server', forwarded, above(forwarded));
  } finally {
    await stock.stop();
  }
}

async function reportInspector(
  { headsetHome, phoneHome }: Devices,
  logIn: HeadsetProcess['logIn'],
  directory: string,
): Promise<void> {
  heading(
    `the inspector's page in Chromium, with ${EVENTS.toLocaleString('en')} events in the log`,
  );
  if (chromiumMissing !== null) return console.log(`  left out: ${chromiumMissing}`);
  const logins = repeatedLog(headsetHome, 'connection/', EVENTS);
  const oneRun = lengthenedLog(phoneHome, 'signer/', EVENTS);
  const browser = await openBrowser(directory);
  try {
    for (const [what, name, home] of [
      ['the headset, login after login', 'vmux', logins],
      ['the phone, one long run', 'signer', oneRun],
    ] as const) {
      const steps: number[] = [];
      const { page } = await interleaved(ROUNDS.page, {
        async page() {
          const { open, step } = await measurePage(browser, name, home);
          steps.push(step);
          return open;
        },
      });
      const [open, step] = [median(page), median(steps)];
      line(`${what}: until it can be used`, ms(open), goal(open, PAGE_GOAL, ms));
      line('  a step', ms(step), goal(step, STEP_GOAL, ms));
    }
    const watching = await watchFrom(browser, headsetHome);
    const logInWith = (open: boolean) => async () => {
      await watching.show(open);
      return (await logIn()).login;
    };
    const { closed, watched } = await interleaved(ROUNDS.live, {
      closed: logInWith(false),
      watched: logInWith(true),
    });
    await watching.stop();
    const added = median(watched) - median(closed);
    line('a login while no page is open', ms(median(closed)));
    line('a login that a page shows live', ms(median(watched)));
    line('  what that adds', ms(added), goal(added, LIVE_GOAL, ms));
  } finally {
    await browser.close();
  }
}

async function reportDiscovery(devices: Devices, unmet: string, directory: string): Promise<void> {
  heading('from the start of a headset until it is linked');
  const { warm, cold } = await interleaved(ROUNDS.discovery, {
    warm: () => timeToLink(devices.headsetHome),
    async cold() {
      await sleep(ANSWERED_AGAIN);
      const home = mkdtempSync(join(directory, 'cold-'));
      cpSync(unmet, home, { recursive: true });
      return timeToLink(home);
    },
  });
  line('warm: dialled at its remembered address', ms(median(warm)));
  line('cold: found by DNS-SD', ms(median(cold)), times(median(cold) / median(warm)));
}

async function reportScrypt(): Promise<void> {
  heading('scrypt, the deliberate cost of each approval');
  const { took, held } = await measureScrypt(ROUNDS.scrypt);
  line('opening a sealed key', ms(took));
  line('memory while it does, beyond what is held anyway', megabytes(held));
}

async function reportMemory(waiting: Devices, ssh: SshSetup): Promise<void> {
  heading('memory of the waiting programs (resident; one login approved, the shell open)');
  for (const start of ['the first start of all, which compiles', 'any later start']) {
    const { signer, vmux: shell, stop } = await startWaitingPrograms(waiting, ssh);
    try {
      for (const [what, program] of [
        ['signer start', signer],
        ['vmux connect', shell],
      ] as const) {
        const bytes = median(await idleMemory(program));
        line(`${what}: ${start}`, megabytes(bytes), goal(bytes, MEMORY_GOAL, megabytes));
      }
    } finally {
      await stop();
    }
  }
}

if (!hasSshd) console.log('skipped: needs OpenSSH (sshd, ssh, ssh-agent, ssh-keygen)');
else if (!inOwnNetwork()) await bench();
