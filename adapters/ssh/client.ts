import { fromCallback, type CallbackActorLogic } from 'xstate';
import type { SshCommand, SshFact, SshInput } from '../../machines/headset/ports.ts';
import { askOpenSsh, type Asked } from './ask-openssh.ts';
import { foreign } from './foreign-text.ts';
import type { Report } from './key-offers.ts';
import type { PinnedHostKey } from './known-hosts.ts';
import { logIn, type Fail, type Login, type Ssh2Parts } from './login.ts';
import type { RequestVault } from './request-vault.ts';
import type { SessionOptions } from './session.ts';

export interface SshPortOptions {
  vault: RequestVault;
  /** The host keys that the person confirmed here for that name and port. */
  pins: (name: string, port: number) => PinnedHostKey[];
  /**
   * Keeps a host key that the person has confirmed and the server has proven (RFC 4253 §8), before
   * anything is sent to the server under it. What it throws ends the connection.
   */
  pinHostKey: (pinned: PinnedHostKey) => void;
  /** Milliseconds of the process's monotonic clock. */
  now: () => number;
  newRequestId: () => string;
  /** A matching code of a request, `00` to `99`, each as likely as the others. */
  newCode: () => string;
  /** Asked once, when the login is complete. */
  openSession: () => SessionOptions;
  /** What the server says before the login (RFC 4252 §5.4): foreign text, as it came. */
  onBanner: (text: string) => void;
  /** Read instead of the user's and the system's ssh_config. */
  configFile?: string | undefined;
  /** What was asked about this very target before the actor began; `null`: ask now. */
  asked?: (() => Asked | null) | undefined;
  /** Where `SendEnv` takes its variables from. */
  env: NodeJS.ProcessEnv;
}

/**
 * The `ssh` port: one SSH connection on ssh2, from the name that the person typed to the end of the
 * shell. It holds no deadline and no retry; stopping the actor ends the connection. Nothing is
 * reported after that, nor after a fact that ends the connection. ssh2 is loaded when the actor
 * starts, not before.
 */
export function createSshPort(options: SshPortOptions): CallbackActorLogic<SshCommand, SshInput> {
  return fromCallback<SshCommand, SshInput>(({ input, sendBack, receive }) => {
    const connection = openConnection(options, input, sendBack);
    receive(connection.take);
    return connection.stop;
  });
}

/** These facts are the last ones of a connection. */
const last: ReadonlySet<SshFact['type']> = new Set<SshFact['type']>([
  'ssh.hostKeyChanged',
  'ssh.hostKeyRevoked',
  'ssh.publickeyNotOffered',
  'ssh.permissionDenied',
  'ssh.closed',
  'ssh.failed',
]);

type SendBack = (fact: SshFact) => void;

interface Connection {
  take: (command: SshCommand) => void;
  stop: () => void;
}

function openConnection(options: SshPortOptions, input: SshInput, sendBack: SendBack): Connection {
  const abort = new AbortController();
  const { signal } = abort;
  let login: Login | null = null;

  const stop = (): void => {
    if (signal.aborted) return;
    abort.abort();
    login?.hangUp();
  };
  const report: Report = (fact) => {
    if (signal.aborted) return;
    if (last.has(fact.type)) stop();
    sendBack({ ...fact, at: options.now() } as SshFact);
  };
  const fail: Fail = (reason, detail) => {
    report({ type: 'ssh.failed', reason, detail: foreign(detail) });
  };

  const begin = async (): Promise<void> => {
    const loading = loadSsh2();
    const asked =
      options.asked?.() ?? askOpenSsh({ ...input, configFile: options.configFile, signal });
    const resolved = await asked.resolved;
    if (signal.aborted) return;
    if ('failure' in resolved) {
      fail(resolved.failure.reason, resolved.failure.detail);
      return;
    }
    const { hostname, port, user } = resolved;
    report({ type: 'ssh.resolved', hostname, port, user });

    const known = await asked.known;
    const ssh2 = await loading;
    if (signal.aborted) return;
    if ('failure' in known) {
      fail(known.failure.reason, known.failure.detail);
      return;
    }
    login = logIn({ ...options, ssh2, resolved, known, signal, report, fail });
    if (signal.aborted) login.hangUp();
  };
  void begin();

  return {
    take(command) {
      if (login === null || signal.aborted) return;
      switch (command.type) {
        case 'ssh.acceptHostKey':
          login.hostKey.accept();
          return;
        case 'ssh.rejectHostKey':
          stop();
          return;
        case 'ssh.offer':
          login.keys.offer(command.identities);
          return;
        case 'ssh.handOver':
          if (!login.keys.handOver(command.requestId)) {
            fail('internalError', 'no usable signature was handed over');
          }
      }
    },
    stop,
  };
}

/** Only the parts used here: the package's front door also loads what speaks HTTP. */
async function loadSsh2(): Promise<Ssh2Parts> {
  const [client, agent, keyParser, utils] = await Promise.all([
    import('ssh2/lib/client.js'),
    import('ssh2/lib/agent.js'),
    import('ssh2/lib/protocol/keyParser.js'),
    import('ssh2/lib/protocol/utils.js'),
  ]);
  return {
    Client: client.default,
    BaseAgent: agent.default.BaseAgent,
    parseKey: keyParser.default.parseKey,
    sendPacket: utils.default.sendPacket,
  };
}
