/** One SSH connection of this process: the connection machine with its adapters. */
import { randomInt, randomUUID } from 'node:crypto';
import type { Asked } from '../../adapters/ssh/ask-openssh.ts';
import { createSshPort } from '../../adapters/ssh/client.ts';
import type { RequestVault } from '../../adapters/ssh/request-vault.ts';
import type { SessionOptions } from '../../adapters/ssh/session.ts';
import { connectionMachine } from '../../machines/headset/connection.machine.ts';
import type { Running } from '../running.ts';
import type { PhoneLink } from './phone-link.ts';
import { lastIdentity, pinHostKey, pinnedHostKeys, rememberLogin, type Target } from './records.ts';

export interface ConnectionParts {
  running: Running;
  phoneLink: PhoneLink;
  vault: RequestVault;
  target: Target;
  /** Milliseconds; `null`: the page's ten seconds. */
  signerTimeout: number | null;
  /** Asked when the login is complete. */
  openSession: () => SessionOptions;
  onBanner: (text: string) => void;
  /** What OpenSSH was asked about the target already, for the first attempt. */
  asked?: Asked | undefined;
  /** Read instead of the person's ssh_config. */
  configFile?: string | undefined;
}

export type Connection = ReturnType<typeof startConnection>;

export function startConnection(parts: ConnectionParts) {
  const { running, phoneLink, vault, target, signerTimeout } = parts;
  const { log } = running;
  let asked = parts.asked ?? null;
  const connection = running.start(
    'connection',
    connectionMachine.provide({
      actors: {
        link: phoneLink.port,
        ssh: createSshPort({
          vault,
          pins: (name, port) => pinnedHostKeys(log, name, port),
          pinHostKey: (pinned) => pinHostKey(log, pinned),
          now: () => performance.now(),
          newRequestId: randomUUID,
          newCode: () => String(randomInt(100)).padStart(2, '0'),
          openSession: parts.openSession,
          onBanner: parts.onBanner,
          asked: () => {
            const first = asked;
            asked = null;
            return first;
          },
          configFile: parts.configFile,
          env: process.env,
        }),
      },
    }),
    {
      flowId: randomUUID(),
      ...target,
      preferred: lastIdentity(log, target),
      ...(signerTimeout !== null && { signerTimeout }),
    },
  );
  running.onHalt(() => vault.eraseAll());

  let remembered = false;
  connection.actor.subscribe(({ value, context }) => {
    if (typeof value === 'string' || value.session !== 'connected') return;
    if (remembered || context.request === null) return;
    remembered = true;
    vault.erase(context.request.requestId);
    rememberLogin(log, target, context.request.fingerprint);
  });
  return connection;
}
