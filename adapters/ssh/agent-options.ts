/** What OpenSSH on this machine would do about agents, as it says itself. */
import { run } from './run.ts';
import { isPlainName } from './ssh-config.ts';

/** Values as `ssh -G` prints them: `~` is expanded, `%` and variables are not. `null`: not set. */
export interface AgentOptions {
  identityAgent: string | null;
  knownHostsCommand: string | null;
}

/**
 * `null` when there is no `ssh` here, when it cannot read its configuration, and for a host whose
 * name a shell could misread. Never rejects.
 */
export async function agentOptions(
  host: string,
  signal?: AbortSignal,
): Promise<AgentOptions | null> {
  if (!isPlainName(host)) return null;
  const answer = await run('ssh', ['-G', '--', host], signal);
  if (answer === 'missing' || answer.status !== 0) return null;
  const value = (name: string) =>
    new RegExp(`^${name} (.+)$`, 'im').exec(answer.stdout)?.[1] ?? null;
  return {
    identityAgent: value('identityagent'),
    knownHostsCommand: value('knownhostscommand'),
  };
}

export interface OpenSshVersion {
  major: number;
  minor: number;
  /** As it calls itself, `OpenSSH_9.2p1`: foreign text. */
  name: string;
}

/** `null` when there is no `ssh` here, or one that is not OpenSSH's. Never rejects. */
export async function openSshVersion(signal?: AbortSignal): Promise<OpenSshVersion | null> {
  const answer = await run('ssh', ['-V'], signal);
  if (answer === 'missing') return null;
  const match = /^OpenSSH_(?:for_Windows_)?(\d{1,3})\.(\d{1,3})[^\s,]*/.exec(answer.stderr);
  const [name, major, minor] = match ?? [];
  if (name === undefined) return null;
  return { name, major: Number(major), minor: Number(minor) };
}

/** The first word of a command line as ssh_config(5) has it, perhaps in double quotes. */
export function programOf(commandLine: string): string {
  return /^\s*(?:"([^"]*)"|(\S*))/.exec(commandLine)?.slice(1).find(Boolean) ?? '';
}
