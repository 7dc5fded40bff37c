/** The demo's stage: two paired devices, a key, a server that lets it in, and a person. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createRequestVault } from '../../adapters/ssh/request-vault.ts';
import { startPhoneLink } from '../headset/phone-link.ts';
import { startPhone } from '../phone/phone.ts';
import { showForeign } from '../terminal/foreign-text.ts';
import { Trouble } from '../trouble.ts';
import { createDemoIdentity } from './demo-identity.ts';
import { loopbackOnly, openDevices, pairDevices } from './devices.ts';
import type { Ending } from './ending.ts';
import type { Narrator } from './narrator.ts';
import { phonePublished } from './phone-published.ts';
import type { SceneParts } from './scene.ts';
import { createScriptedPerson, type ScriptedPerson } from './scripted-person.ts';
import { LOOPBACK, startServer, type DemoServer } from './ssh-server.ts';
import { createWitness, type SeenEvent, type Witness } from './witness.ts';

export interface Stage {
  narrator: Narrator;
  witness: Witness;
  person: ScriptedPerson;
  server: DemoServer;
  seen: SeenEvent[];
  /** Called with every event from now on; `null`: nobody. */
  listen(see: ((event: SeenEvent) => void) | null): void;
  /** What every scene needs. */
  scene: Omit<SceneParts, 'signerTimeout' | 'openSession'>;
}

/** Everything on it is closed at the end. `inspect`: on a page that is open before it begins. */
export async function setStage(
  narrator: Narrator,
  ending: Ending,
  inspect: boolean,
): Promise<Stage> {
  const directory = temporaryDirectory(ending);
  const seen: SeenEvent[] = [];
  let listener: ((event: SeenEvent) => void) | null = null;
  const witness = createWitness((event) => {
    seen.push(event);
    listener?.(event);
  });
  const { username } = userInfo();

  const devices = await openDevices(directory, witness, ending);
  if (inspect) {
    const { inspectDemo } = await import('./inspected-demo.ts');
    await inspectDemo(devices, directory, narrator, ending);
  }
  narrator.heading('Before: two devices, a key and a server');
  const passphrase = randomBytes(16).toString('base64url');
  const identity = await createDemoIdentity(devices.phone.running, Buffer.from(passphrase));
  narrator.from('phone', `made a key, sealed under a passphrase: ${identity.fingerprint}`);
  const how = await pairDevices(devices, narrator);

  const server = await startServer({ user: username, publicKey: identity.publicKey, directory });
  ending.defer(server.close);
  narrator.from(
    'server',
    `SSH in this process, on ${LOOPBACK} port ${server.port}, until the demo ends; it lets in`,
    `only that key, and runs what it is told on this machine as ${showForeign(username)}`,
  );

  const shownCode = () =>
    String(seen.findLast(({ type }) => type === 'ssh.identityAccepted')?.data['code'] ?? '');
  const person = createScriptedPerson(passphrase, shownCode);
  const phone = await startPhone({
    running: devices.phone.running,
    identity: devices.phone.identity,
    port: 0,
    host: LOOPBACK,
    interfaces: loopbackOnly,
    person,
  });
  ending.defer(phone.close);
  const isPublished = how === 'multicast' && (await phonePublished(phone));

  const configFile = join(directory, 'ssh_config');
  writeFileSync(configFile, 'UserKnownHostsFile /dev/null\nGlobalKnownHostsFile /dev/null\n');
  const vault = createRequestVault();
  narrator.heading('What happens when you connect');
  const phoneLink = startPhoneLink({
    running: devices.headset.running,
    identity: devices.headset.identity,
    vault,
    given: isPublished ? null : { address: LOOPBACK, port: phone.port },
    interfaces: loopbackOnly,
  });
  ending.defer(phoneLink.close);

  return {
    narrator,
    witness,
    person,
    server,
    seen,
    listen: (see) => {
      listener = see;
    },
    scene: {
      headset: devices.headset.running,
      phoneLink,
      vault,
      narrator,
      configFile,
      target: { host: LOOPBACK, port: server.port, user: username },
      async trustsHostKey(fingerprint) {
        const isTheServers = fingerprint === server.hostKeyFingerprint;
        const answer = isTheServers ? 'it is the server’s own: y' : 'it is another one: n';
        narrator.from('person', `compares the fingerprint with the server’s; ${answer}`);
        return isTheServers;
      },
    },
  };
}

/**
 * A private directory that is gone at the end, and in any case when the process is.
 *
 * @throws {Trouble} `stateUnusable`
 */
function temporaryDirectory(ending: Ending): string {
  let directory: string;
  try {
    directory = mkdtempSync(join(tmpdir(), 'vmux-demo-'));
  } catch (error) {
    throw new Trouble('stateUnusable', (error as Error).message);
  }
  const remove = () => rmSync(directory, { recursive: true, force: true });
  ending.defer(remove);
  process.once('exit', remove);
  return directory;
}
