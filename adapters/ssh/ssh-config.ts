import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { foreign } from './foreign-text.ts';
import { run } from './run.ts';

/** What `ssh` would do for a host, as far as this adapter honours it. Times in milliseconds. */
export interface Resolved {
  hostname: string;
  port: number;
  user: string;
  /** The name under which known_hosts has the host key; its port is then not looked at. */
  hostKeyAlias: string | null;
  /** The user's files, then the system's; some may not exist. */
  knownHostsFiles: string[];
  /** `StrictHostKeyChecking yes`: an unknown host key ends the connection without a question. */
  refuseUnknownHostKey: boolean;
  /** A program whose stdin and stdout are the connection, or `null` for TCP. */
  proxy: string[] | null;
  connectTimeout: number | null;
  family: 0 | 4 | 6;
  /** `SendEnv` patterns, such as `LC_*`. */
  sendEnv: string[];
  setEnv: Record<string, string>;
  /** 0: no keepalive. */
  keepaliveInterval: number;
  keepaliveCountMax: number;
  /** `defaults`: there is no `ssh` on this machine, so nothing of ssh_config was read. */
  source: 'openssh' | 'defaults';
}

export interface Unusable {
  failure: { reason: 'sshConfigUnusable'; detail: string };
}

export interface Target {
  host: string;
  port: number | null;
  user: string | null;
  /** Read instead of the user's and the system's ssh_config (`ssh -F`). */
  configFile?: string | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Asks `ssh -G` what the person's ssh_config makes of a host. Never throws.
 *
 * `HostName`, `Port`, `User`, `HostKeyAlias`, both `KnownHostsFile` options, `AddressFamily`,
 * `ConnectTimeout`, `ServerAlive…`, `SendEnv`, `SetEnv`, `ProxyCommand` and `ProxyJump` are
 * honoured. `StrictHostKeyChecking` can only make us stricter: `no` and `accept-new` still ask.
 * Algorithm lists, `BindAddress`, forwardings and everything about authentication are not looked
 * at. `RevokedHostKeys` and `ProxyUseFdpass` cannot be honoured and are refused.
 */
export async function resolveHost(target: Target): Promise<Resolved | Unusable> {
  const host = target.host.replace(/^\[(.*)\]$/, '$1');
  if (!isPlainName(host)) return unusable(`not a host name: ${foreign(target.host)}`);
  if (target.user !== null && !isPlainName(target.user)) {
    return unusable(`not a user name: ${foreign(target.user)}`);
  }

  const args = ['-G'];
  if (target.configFile !== undefined) args.push('-F', target.configFile);
  if (target.port !== null) args.push('-p', String(target.port));
  if (target.user !== null) args.push('-l', target.user);
  const answer = await run('ssh', [...args, '--', host], target.signal);

  if (answer === 'missing') return withoutOpenSsh(host, target);
  if (answer.status !== 0) return unusable(foreign(answer.stderr) || 'ssh -G failed');
  return parse(answer.stdout, target.configFile);
}

/** Options and file names can hold these; a name that reaches a shell must not. */
export function isPlainName(name: string): boolean {
  return /^[^-\s\p{Cc}'"`$\\;&<>|(){}][^\s\p{Cc}'"`$\\;&<>|(){}]*$/u.test(name);
}

/** A failure that the person's OpenSSH configuration or files cause. */
export function unusable(detail: string): Unusable {
  return { failure: { reason: 'sshConfigUnusable', detail } };
}

function withoutOpenSsh(host: string, target: Target): Resolved {
  return {
    hostname: host.toLowerCase(),
    port: target.port ?? 22,
    user: target.user ?? userInfo().username,
    hostKeyAlias: null,
    knownHostsFiles: [join(homedir(), '.ssh', 'known_hosts'), '/etc/ssh/ssh_known_hosts'],
    refuseUnknownHostKey: false,
    proxy: null,
    connectTimeout: null,
    family: 0,
    sendEnv: [],
    setEnv: {},
    keepaliveInterval: 0,
    keepaliveCountMax: 3,
    source: 'defaults',
  };
}

function parse(output: string, configFile: string | undefined): Resolved | Unusable {
  const lines = output
    .split('\n')
    .map((line) => /^(\S+) (.*)$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({ name: match[1]?.toLowerCase() ?? '', value: match[2] ?? '' }));
  const all = (name: string) => lines.filter((line) => line.name === name).map((l) => l.value);
  const first = (name: string) => all(name)[0];
  const number = (name: string) => {
    const value = first(name);
    return value !== undefined && /^\d+$/.test(value) ? Number(value) : null;
  };
  const seconds = (name: string) => (number(name) ?? 0) * 1000;

  const hostname = first('hostname');
  const port = number('port');
  const user = first('user');
  if (hostname === undefined || port === null || port < 1 || port > 65535 || user === undefined) {
    return unusable('ssh -G named no host, port or user');
  }
  const revokedHostKeys = first('revokedhostkeys') ?? 'none';
  if (revokedHostKeys !== 'none') return unusable('RevokedHostKeys is not supported here');
  if (first('proxyusefdpass') === 'yes') return unusable('ProxyUseFdpass is not supported here');

  const proxy = proxyOf({
    command: first('proxycommand') ?? 'none',
    jump: first('proxyjump') ?? 'none',
    configFile,
    tokens: { '%': '%', h: hostname, p: String(port), r: user, n: first('host') ?? hostname },
  });
  if (proxy !== null && 'failure' in proxy) return proxy;

  const family = first('addressfamily');
  return {
    hostname,
    port,
    user,
    hostKeyAlias: first('hostkeyalias') ?? null,
    knownHostsFiles: [first('userknownhostsfile'), first('globalknownhostsfile')].flatMap(files),
    refuseUnknownHostKey: ['yes', 'true'].includes(first('stricthostkeychecking') ?? ''),
    proxy,
    connectTimeout: number('connecttimeout') === null ? null : seconds('connecttimeout'),
    family: family === 'inet' ? 4 : family === 'inet6' ? 6 : 0,
    sendEnv: all('sendenv'),
    setEnv: Object.fromEntries(all('setenv').map(variable)),
    keepaliveInterval: seconds('serveraliveinterval'),
    keepaliveCountMax: number('serveralivecountmax') ?? 3,
    source: 'openssh',
  };
}

function variable(pair: string): [string, string] {
  const equals = pair.indexOf('=');
  return [pair.slice(0, equals), pair.slice(equals + 1)];
}

/** `ssh -G` joins paths by spaces without quoting: a piece that begins no path continues one. */
function files(value: string | undefined): string[] {
  const paths: string[] = [];
  for (const piece of (value ?? '').split(' ')) {
    const last = paths.length - 1;
    if (/^[~/]/.test(piece)) paths.push(piece);
    else if (last >= 0) paths[last] = `${paths[last]} ${piece}`;
  }
  return paths.map((path) => path.replace(/^~(?=\/)/, homedir()));
}

interface ProxyOptions {
  command: string;
  jump: string;
  configFile: string | undefined;
  tokens: Record<string, string>;
}

/**
 * `ProxyJump` becomes `ssh -W`, as OpenSSH itself does it. That `ssh` logs in by its own means and
 * in `BatchMode`: the terminal has one reader, and it is not the jump.
 */
function proxyOf({ command, jump, configFile, tokens }: ProxyOptions) {
  if (jump !== 'none') {
    const hops = jump.split(',').map((hop) => hop.replace(/^ssh:\/\//, ''));
    const lastHop = hops.pop() ?? '';
    return [
      'ssh',
      '-o',
      'BatchMode=yes',
      ...(configFile === undefined ? [] : ['-F', configFile]),
      ...(hops.length === 0 ? [] : ['-J', hops.join(',')]),
      '-W',
      `[${tokens['h']}]:${tokens['p']}`,
      '--',
      `ssh://${lastHop}`,
    ];
  }
  if (command === 'none') return null;
  const unknown = [...command.matchAll(/%(.?)/g)].find(([, token]) => !(tokens[token ?? ''] ?? ''));
  if (unknown !== undefined) return unusable(`ProxyCommand uses ${foreign(unknown[0])}`);
  if (!Object.values(tokens).every(isPlainName)) {
    return unusable('ProxyCommand with a host or user that a shell could misread');
  }
  const expanded = command.replace(/%(.)/g, (_, token: string) => tokens[token] ?? '');
  return [process.env['SHELL'] ?? '/bin/sh', '-c', `exec ${expanded}`];
}
