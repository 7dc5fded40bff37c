/** A headset with `vmux agent`, a phone and servers: where every story of a stock client begins. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { configureSsh, startAgent, startClient, type Agent, type Client } from './agent-story.ts';
import type { Bench, Device, Ended } from './program-driver.ts';
import { eventsOf } from './program-logs.ts';
import { createIdentity, knowHost, pair, startPhone, type Phone } from './program-story.ts';
import { startSshd, type Sshd } from './sshd.ts';

export const PASSPHRASE = 'four words and more';

export interface Made {
  sheets: number;
  signatures: number;
  logins: number;
}

type ClientOptions = NonNullable<Parameters<typeof startClient>[3]>;

export interface Desk {
  readonly headset: Device;
  readonly phone: Device;
  /** A line of authorized_keys; `work` is its label on the phone. */
  readonly key: string;
  /** A file with that line. */
  readonly keyFile: string;
  readonly fingerprint: string;
  readonly signer: Phone;
  readonly agent: Agent;
  /** The ssh_config: an alias for each server, then what `vmux agent ssh-config` prints. */
  readonly config: string;
  readonly servers: Record<string, Sshd>;
  /** Starts a program with the agent's socket in its environment; the agent's words so far are read. */
  start(words: string[], options?: ClientOptions): Client;
  /** Runs it to its end, which one approval on the phone allows; the sheet that was shown, too. */
  approved(words: string[], options?: ClientOptions): Promise<{ sheet: string[]; end: Ended }>;
  /** Runs a command of the phone and waits until the phone that runs goes by it. */
  decide(...words: string[]): Promise<void>;
  /** What happened so far: sheets on the phone, signatures in its log, logins in the servers'. */
  made(): Made;
  stopServers(): Promise<void>;
}

/**
 * Paired as Vision and iPhone, linked, and allowed in at a server for each alias, which the phone
 * knows by that name. `config`: lines of sshd_config.
 */
export async function setUpDesk(
  bench: Bench,
  aliases: string[],
  { config: sshdConfig = [] }: { config?: string[] } = {},
): Promise<Desk> {
  const servers: Record<string, Sshd> = {};
  const stopServers = async () => {
    for (const sshd of Object.values(servers)) await sshd.stop();
  };
  try {
    const phone = bench.device('signer');
    const headset = bench.device('vmux');
    const key = await createIdentity(phone, 'work', PASSPHRASE);
    for (const alias of aliases) {
      const options = { prefix: bench.prefix, authorizedKeys: [key], config: sshdConfig };
      servers[alias] = await startSshd(options);
      await knowHost(phone, servers[alias], alias);
    }
    await pair(headset, phone, { headset: 'Vision', phone: 'iPhone' });
    const signer = await startPhone(phone);
    const agent = await startAgent(headset, signer);
    const [, config = ''] = configureSsh(headset, servers);
    appendFileSync(config, (await headset.run(['agent', 'ssh-config'])).stdout);
    const keyFile = join(bench.directory, 'work.pub');
    writeFileSync(keyFile, `${key}\n`);

    const start: Desk['start'] = (words, options) => {
      agent.skip();
      return startClient(headset, agent, words, options);
    };
    const changes = () => eventsOf(phone).filter(({ type }) => type === 'settings.changed').length;
    return {
      headset,
      phone,
      key,
      keyFile,
      fingerprint: fingerprintOf(keyFile),
      signer,
      agent,
      config,
      servers,
      start,
      async approved(words, options) {
        const { ended } = start(words, options);
        const sheet = await nextSheet(signer);
        await signer.answer(PASSPHRASE);
        return { sheet, end: await ended };
      },
      async decide(...words) {
        const before = changes();
        const { status, stderr } = await phone.run(words);
        if (status !== 0) throw new Error(stderr);
        while (changes() === before) await new Promise((resolve) => setTimeout(resolve, 50));
      },
      made: () => ({
        sheets: phone.screen().split('SSH Sign Request').length - 1,
        signatures: eventsOf(phone).filter(({ type }) => type === 'xstate.done.actor.keys').length,
        logins: Object.values(servers)
          .map((sshd) => sshd.log().split('Accepted publickey').length - 1)
          .reduce((sum, count) => sum + count, 0),
      }),
      stopServers,
    };
  } catch (error) {
    await stopServers();
    throw error;
  }
}

/** The next sheet, line by line, with `DATE`, `CODE` and `N s left` for what differs by the run. */
export async function nextSheet(signer: Phone): Promise<string[]> {
  const [text] = await signer.expect(/SSH Sign Request.*\n(?: {2}.*\n)*? {2}\d+ s left.*\n/);
  return text
    .replace(/\b\d{4}-\d\d-\d\d\b/g, 'DATE')
    .replace(/^ {2}code {2}\d\d /m, '  code  CODE ')
    .replace(/^ {2}\d+ s left/m, '  N s left')
    .trimEnd()
    .split('\n');
}

/** `SHA256:…` of the key in a .pub file. */
export function fingerprintOf(file: string): string {
  const line = execFileSync('ssh-keygen', ['-l', '-f', file], { encoding: 'utf8' });
  return line.split(' ')[1] ?? '';
}

/** The end of a title: why the test is skipped, when a program that it needs is not here. */
export function lacking(...commands: string[]): { skip: boolean; why: string } {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const missing = commands.find((name) => !folders.some((path) => existsSync(join(path, name))));
  return missing === undefined
    ? { skip: false, why: '' }
    : { skip: true, why: ` [skipped: no ${missing} on this machine]` };
}
