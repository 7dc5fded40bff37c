/**
 * `npm start -- user@host`: headset and phone in this terminal, the server somewhere else. The
 * person reads the sheet and types the passphrase themselves.
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { createPassphraseVerification } from '../../adapters/biometrics/passphrase.ts';
import { publicKeyLine } from '../../adapters/keys/public-key.ts';
import { createRequestVault } from '../../adapters/ssh/request-vault.ts';
import type { PublicIdentity } from '../../machines/ports.ts';
import { startPhoneLink } from '../headset/phone-link.ts';
import { lastIdentity, pairedPhones, type Target } from '../headset/records.ts';
import { parseTarget } from '../headset/target.ts';
import { prepareHome } from '../home.ts';
import { newPassphrase } from '../phone/create-identity.ts';
import { startPhone, type PhoneProcess } from '../phone/phone.ts';
import { identities } from '../phone/records.ts';
import { createTerminalSheet } from '../phone/terminal-sheet.ts';
import { ask } from '../terminal/ask.ts';
import { showForeign } from '../terminal/foreign-text.ts';
import { Trouble, WrongUsage } from '../trouble.ts';
import { createDemoIdentity } from './demo-identity.ts';
import { loopbackOnly, openDevices, pairDevices, type Devices } from './devices.ts';
import type { Ending } from './ending.ts';
import { createNarrator } from './narrator.ts';
import { tellNineSteps, type NineSteps } from './nine-steps.ts';
import { openScene } from './scene.ts';
import { shellSession } from './sessions.ts';
import { LOOPBACK } from './ssh-server.ts';
import { createWitness } from './witness.ts';

const FAILED = 1;
/** A passphrase has to be typed on the phone that is this same terminal. Milliseconds. */
const PATIENT_CLOCK = 30_000;

/** Where the demo's key and pairing are kept between runs. */
function demoHome(): string {
  const named = process.env['VMUX_DEMO_HOME'];
  return named ? resolve(named) : join(homedir(), '.vmux-demo');
}

/**
 * Resolves with the remote shell's exit status, or 1 when there was no login.
 *
 * @throws {WrongUsage} without a terminal, or for what is no `user@host[:port]`
 * @throws {Trouble} what a person can do something about
 */
export async function connectToServer(
  where: string,
  ending: Ending,
  inspect: boolean,
): Promise<number> {
  const target = parseTarget(where);
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) {
    throw new WrongUsage('with a server it needs a terminal, where you type the passphrase');
  }

  let steps: NineSteps | null = null;
  const witness = createWitness((event) => steps?.see(event));
  const home = demoHome();
  prepareHome(home);
  const devices = await openDevices(home, witness, ending);
  if (inspect) {
    const { inspectDemo } = await import('./inspected-demo.ts');
    await inspectDemo(devices, home, createNarrator(stdout), ending);
  }
  const identity = identities(devices.phone.running.log)[0] ?? (await firstKey(devices, home));
  await showLine(identity, devices, target);
  if (pairedPhones(devices.headset.running.log).length === 0) {
    const narrator = createNarrator(stdout);
    narrator.heading('Pairing the two devices in this process, by script');
    await pairDevices(devices, narrator);
  }

  let phone: PhoneProcess | null = null;
  const sheet = createTerminalSheet({
    input: stdin,
    output: stdout,
    plain: false,
    isAwake: () => phone?.isAwake() ?? false,
    onInterrupt: () => ending.stop('SIGINT'),
  });
  ending.defer(() => sheet.restore());
  stdin.resume();
  const narrator = createNarrator(stdout, sheet.say);
  phone = await startPhone({
    running: devices.phone.running,
    identity: devices.phone.identity,
    port: 0,
    host: LOOPBACK,
    interfaces: loopbackOnly,
    person: {
      sheet: sheet.actor,
      biometrics: (parts) =>
        createPassphraseVerification({
          ...parts,
          takePassphrase: (ref) => sheet.takePassphrase(ref),
        }),
    },
  });
  ending.defer(phone.close);

  narrator.heading('What happens when you connect');
  narrator.from(
    'demo',
    `on a clock of ${PATIENT_CLOCK / 1000} s instead of the ten: both devices are this terminal`,
  );
  const vault = createRequestVault();
  const phoneLink = startPhoneLink({
    running: devices.headset.running,
    identity: devices.headset.identity,
    vault,
    given: { address: LOOPBACK, port: phone.port },
    interfaces: loopbackOnly,
  });
  ending.defer(phoneLink.close);
  steps = tellNineSteps(narrator, () => {});
  let hadShell = false;
  const { connection, play } = openScene({
    headset: devices.headset.running,
    phoneLink,
    vault,
    narrator,
    target,
    signerTimeout: PATIENT_CLOCK,
    async trustsHostKey() {
      const isTrusted = /^y$/i.test(await nextKey());
      narrator.from('person', isTrusted ? 'y' : 'n');
      return isTrusted;
    },
    openSession() {
      hadShell = true;
      sheet.restore();
      return shellSession();
    },
  });
  ending.defer(connection.stop);

  let end = await play('user.connect');
  while (end.context.reason !== null) {
    narrator.failure(end.context.reason, end.context.detail);
    if (hadShell) return FAILED;
    narrator.from('headset', 'r reconnects, any other key ends');
    if ((await nextKey()) !== 'r') return FAILED;
    end = await play('user.reconnect');
  }
  return end.context.exit?.status ?? FAILED;
}

async function firstKey({ phone }: Devices, home: string): Promise<PublicIdentity> {
  process.stderr.write(`a key for this demo is made and kept in ${home}\n`);
  return createDemoIdentity(phone.running, await newPassphrase());
}

/** Before the first login there, the person needs time to put the line on the server. */
async function showLine(
  identity: PublicIdentity,
  { headset }: Devices,
  target: Target,
): Promise<void> {
  const { stdout } = process;
  stdout.write('the line for ~/.ssh/authorized_keys on the server:\n\n');
  stdout.write(`${publicKeyLine(identity)}\n\n`);
  if (lastIdentity(headset.running.log, target) !== null) return;
  const host = showForeign(target.host, 80);
  if ((await ask(`append it on ${host}, then press Enter… `)) === null) {
    throw new Trouble('cancelled');
  }
}

/** The next key at the terminal, before the sheet throws it away. */
function nextKey(): Promise<string> {
  return new Promise((resolve) => {
    const take = (chunk: Buffer) => resolve(chunk.toString('latin1'));
    process.stdin.prependOnceListener('data', take);
  });
}
