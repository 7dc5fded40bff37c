import { connect as dial } from 'node:net';
import { resolve as resolvePath } from 'node:path';
import { firstValueFrom, filter, take, timeout, toArray, takeUntil, timer } from 'rxjs';
import { browse } from '../../../adapters/discovery/browse.ts';
import { publish } from '../../../adapters/discovery/publish.ts';
import { randomInstance } from '../../../adapters/discovery/names.ts';
import { resolveHost } from '../../../adapters/ssh/ssh-config.ts';
import { createRequestVault } from '../../../adapters/ssh/request-vault.ts';
import { failures, type FailureReason } from '../../../machines/failures.ts';
import { refusalOf } from '../../../machines/headset/link.setup.ts';
import { SIGNER_SERVICE_TYPE } from '../../../machines/ports.ts';
import { expectArguments, parse, type Command } from '../../command-line.ts';
import { deviceIdentity } from '../../device-identity.ts';
import { begin, type Running } from '../../running.ts';
import { showForeign, showJson } from '../../terminal/foreign-text.ts';
import { WrongUsage } from '../../trouble.ts';
import { agentChecks, checkSocket, isAgentExpected } from '../agent/doctor-checks.ts';
import { defaultSocket } from '../agent/ssh-config.ts';
import { bad, good, measure, printCheck, type Check, type Finding } from '../../check.ts';
import { startPhoneLink } from '../phone-link.ts';
import { pairedPhones } from '../records.ts';
import { findSavedHost, parseEndpoint, parseTarget } from '../target.ts';

export const command: Command = {
  usage: '[NAME|user@host[:port]] [--phone ADDRESS:PORT] [--agent] [--socket PATH] [--json]',
  summary: 'measure each hop from here to the phone and to a server',
  help: `Checks the event log, multicast, the phone, the link, its identities and, if one is named, a server.

  --agent         also what stock ssh needs: the agent's socket, SSH_AUTH_SOCK, ssh_config (for the
                  host, if one is named), ssh itself, and a test signature that the phone shows
  --socket PATH   where the agent listens (~/.ssh/vmux-agent.sock)`,
  run,
};

const PATIENCE = 3_000;

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, {
    phone: { type: 'string' },
    agent: { type: 'boolean', default: false },
    socket: { type: 'string' },
    json: { type: 'boolean', default: false },
  });
  expectArguments(positionals, 0, 1);
  const [where] = positionals;
  if (values.socket === '') throw new WrongUsage('--socket takes a path');
  const socket = values.socket === undefined ? defaultSocket() : resolvePath(values.socket);
  const running = begin('vmux');
  const checks: Check[] = [];
  const note = (check: Check) => {
    checks.push(check);
    if (!values.json) printCheck(check);
  };
  try {
    note(await measure('event log', async () => checkLog(running)));
    note(await measure('multicast', checkMulticast));
    note(await measure('phone found', checkFound));
    const given = values.phone === undefined ? null : parseEndpoint(values.phone);
    for (const check of await checkLink(running, given)) note(check);
    if (where !== undefined) note(await measure('server', () => checkServer(running, where)));
    if (values.agent) {
      const host = where === undefined ? null : targetOf(running, where).host;
      for await (const check of agentChecks(running, { socket, host })) note(check);
    } else if (isAgentExpected(socket)) note(await checkSocket(socket));
  } finally {
    running.end();
  }
  if (values.json) process.stdout.write(`${showJson(checks, 2)}\n`);
  return checks.every(({ ok }) => ok) ? 0 : 1;
}

function checkLog({ log }: Running): Finding {
  log.verify();
  return good(`${log.head()} events, whole`);
}

/** Publishes something under a random name and looks whether it can be found from here. */
async function checkMulticast(): Promise<Finding> {
  const serviceType = '_vmux-doctor._tcp';
  const instance = randomInstance();
  const published = publish({ serviceType, port: 9, instance }).subscribe();
  try {
    await firstValueFrom(
      browse({ serviceType }).pipe(
        filter((fact) => fact.type === 'peer.found' && fact.instance === instance),
        take(1),
        timeout(PATIENCE),
      ),
    );
    return good('works on this machine');
  } catch {
    return bad(
      'not heard',
      'Multicast DNS (UDP 5353) is blocked here. Remembered addresses still work; the first time, pair and connect with an address: vmux pair --address, vmux connect --phone.',
    );
  } finally {
    published.unsubscribe();
  }
}

async function checkFound(): Promise<Finding> {
  const found = await firstValueFrom(
    browse({ serviceType: SIGNER_SERVICE_TYPE }).pipe(takeUntil(timer(1_500)), toArray()),
  );
  const phones = new Set(
    found.flatMap((fact) => (fact.type === 'peer.found' ? [fact.instance] : [])),
  );
  return phones.size > 0
    ? good(`${phones.size} on this network`)
    : bad('none', failures.peerNotFound.hint);
}

/** The link and what the phone offers over it. */
async function checkLink(
  running: Running,
  given: { address: string; port: number } | null,
): Promise<Check[]> {
  const phones = pairedPhones(running.log);
  if (phones.length === 0) {
    return [{ hop: 'paired', ms: 0, ...bad('no phone', failures.noPhonePaired.hint) }];
  }
  const began = performance.now();
  const vault = createRequestVault();
  const identity = await deviceIdentity(running.home);
  const phoneLink = startPhoneLink({ running, identity, vault, given });
  const { actor } = phoneLink.link;
  const isUp = () => {
    const { value } = actor.getSnapshot();
    return typeof value === 'object' && value.active === 'up';
  };
  await new Promise<void>((resolve) => {
    const giveUp = setTimeout(resolve, PATIENCE);
    const watching = actor.subscribe(() => {
      if (!isUp()) return;
      clearTimeout(giveUp);
      watching.unsubscribe();
      resolve();
    });
  });
  const { context } = actor.getSnapshot();
  const ms = performance.now() - began;
  const checks: Check[] = [];
  if (isUp()) {
    const name = showForeign(context.phone?.name ?? '');
    const at =
      context.endpoint === null ? '' : ` at ${context.endpoint.address}:${context.endpoint.port}`;
    checks.push({ hop: 'link', ms, ...good(`${name}${at}`) });
    const labels = context.identities.map(({ label }) => showForeign(label)).join(', ');
    checks.push({
      hop: 'identities',
      ms: 0,
      ...(labels === '' ? bad('none enabled', failures.noIdentity.hint) : good(labels)),
    });
  } else {
    const reason: FailureReason = refusalOf(context) ?? 'peerUnreachable';
    checks.push({ hop: 'link', ms, ...bad('not up', failures[reason].hint) });
  }
  await phoneLink.close();
  return checks;
}

const targetOf = ({ log }: Running, where: string) =>
  findSavedHost(log, where) ?? parseTarget(where);

/** Reaches the server and reads its version line (RFC 4253 §4.2); nothing is sent. */
async function checkServer(running: Running, where: string): Promise<Finding> {
  const resolved = await resolveHost(targetOf(running, where));
  if ('failure' in resolved) {
    return bad(showForeign(resolved.failure.detail, 160), failures[resolved.failure.reason].hint);
  }
  if (resolved.proxy !== null) return good('behind a proxy; not tried');
  const { hostname, port } = resolved;
  return new Promise((resolve) => {
    const socket = dial({ host: hostname, port, timeout: PATIENCE });
    const end = (finding: Finding) => {
      socket.destroy();
      resolve(finding);
    };
    socket.once('data', (data: Buffer) => {
      const line = data.toString('latin1').split(/\r?\n/)[0] ?? '';
      end(
        line.startsWith('SSH-')
          ? good(`${showForeign(hostname)}:${port} ${showForeign(line)}`)
          : bad('no SSH server', failures.notAnSshServer.hint),
      );
    });
    socket.once('timeout', () => end(bad('silent', failures.hostUnreachable.hint)));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const reason: FailureReason =
        error.code === 'ECONNREFUSED'
          ? 'connectionRefused'
          : error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN'
            ? 'hostNotFound'
            : 'hostUnreachable';
      end(bad(failures[reason].message, failures[reason].hint));
    });
  });
}
