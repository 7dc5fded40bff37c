/**
 * `signer identity install`: appends the public key to a server's authorized_keys over the login
 * that the person already has, then proves that the server accepts it.
 */
import { spawn } from 'node:child_process';
import { createActor, setup } from 'xstate';
import { createSshPort } from '../../adapters/ssh/client.ts';
import { createRequestVault } from '../../adapters/ssh/request-vault.ts';
import { publicKeyLine } from '../../adapters/keys/public-key.ts';
import type { SshFact, SshInput } from '../../machines/headset/ports.ts';
import type { PublicIdentity } from '../../machines/ports.ts';
import { openLog } from '../running.ts';
import { Trouble, WrongUsage } from '../trouble.ts';
import { parseTarget } from '../headset/target.ts';
import { findIdentity } from './find-identity.ts';

/** As ssh-copy-id does it; the line comes on stdin, never in an argument. */
const APPEND = `umask 077; mkdir -p ~/.ssh && IFS= read -r line && f=~/.ssh/authorized_keys &&
{ [ ! -s "$f" ] || [ -z "$(tail -c 1 "$f")" ] || echo >> "$f"; } &&
{ grep -qxF -- "$line" "$f" 2>/dev/null || printf '%s\\n' "$line" >> "$f"; }`;

const PROOF_TIMEOUT = 20_000;

/** Resolves with the exit status. */
export async function installIdentity(
  label: string,
  where: string,
  port: string | null,
): Promise<number> {
  const target = parseTarget(port === null ? where : `${where}:${port}`);
  const log = openLog('signer');
  const identity = findIdentity(log, label);
  log.close();

  const status = await append(publicKeyLine(identity), target);
  if (status !== 0) {
    process.stderr.write(
      `signer: ssh could not append the key (status ${status})\nhint: it needs a login that works already; or append the line by hand (signer identity public-key)\n`,
    );
    return 1;
  }
  const proof = await prove(identity, target);
  if (proof !== null) throw proof;
  process.stdout.write('installed: the server accepts this key\n');
  return 0;
}

function append(line: string, { host, port, user }: SshInput): Promise<number> {
  const args = [
    ...(port === null ? [] : ['-p', String(port)]),
    ...(user === null ? [] : ['-l', user]),
    '--',
    host,
    `sh -c '${APPEND.replaceAll("'", String.raw`'\''`)}'`,
  ];
  const ssh = spawn('ssh', args, { stdio: ['pipe', 'inherit', 'inherit'] });
  ssh.stdin.on('error', () => {});
  ssh.stdin.end(`${line}\n`);
  return new Promise((resolve, reject) => {
    ssh.once('error', () => reject(new WrongUsage('ssh is not installed here')));
    ssh.once('close', (status) => resolve(status ?? 255));
  });
}

/**
 * Offers the key without a signature (RFC 4252 §7): SSH_MSG_USERAUTH_PK_OK is the proof. `null`
 * when the server accepts it.
 */
function prove(identity: PublicIdentity, target: SshInput): Promise<Trouble | null> {
  return new Promise((resolve) => {
    const port = createSshPort({
      vault: createRequestVault(),
      pins: () => [],
      pinHostKey: () => {},
      now: () => performance.now(),
      newRequestId: () => crypto.randomUUID(),
      // No phone is asked, so nobody compares it.
      newCode: () => '00',
      openSession: () => {
        throw new Error('an offer opens no session');
      },
      onBanner: () => {},
      env: {},
    });
    const decide = (fact: SshFact): void => {
      const verdict = verdictOf(fact);
      if (verdict === undefined) return;
      clearTimeout(giveUp);
      probe.stop();
      resolve(verdict);
    };
    const probe = createActor(
      setup({
        types: { events: {} as SshFact },
        actors: { ssh: port },
      }).createMachine({
        invoke: { id: 'ssh', src: 'ssh', input: target },
        on: {
          '*': {
            actions: ({ event, self }) => {
              if (event.type === 'ssh.publickeyWanted') {
                const { ssh } = self.getSnapshot().children;
                ssh?.send({ type: 'ssh.offer', identities: [identity] });
              }
              queueMicrotask(() => decide(event));
            },
          },
        },
      }),
    );
    const giveUp = setTimeout(() => {
      probe.stop();
      resolve(new Trouble('handshakeTimedOut'));
    }, PROOF_TIMEOUT);
    probe.start();
  });
}

/** `undefined`: not yet known. */
function verdictOf(fact: SshFact): Trouble | null | undefined {
  switch (fact.type) {
    case 'ssh.identityAccepted':
      return null;
    case 'ssh.permissionDenied':
      return new Trouble('permissionDenied');
    // Whoever comes is let in: the key proves nothing there.
    case 'ssh.authenticated':
    case 'ssh.publickeyNotOffered':
      return new Trouble('publickeyNotOffered');
    case 'ssh.hostKeyUnknown':
      return new Trouble('hostKeyRejected', fact.fingerprint);
    case 'ssh.hostKeyChanged':
      return new Trouble('hostKeyChanged');
    case 'ssh.hostKeyRevoked':
      return new Trouble('hostKeyRevoked');
    case 'ssh.failed':
      return new Trouble(fact.reason, fact.detail);
    case 'ssh.closed':
      return new Trouble('serverClosed', fact.detail);
    default:
      return undefined;
  }
}
