/** `vmux agent`, in the foreground: the agent socket, the link to the phone, and what is going on. */
import { createAgentServer } from '../../../adapters/agent/agent-server.ts';
import { readLoginNotes } from '../../../adapters/agent/login-notes.ts';
import { AgentSocketError } from '../../../adapters/agent/socket-path.ts';
import {
  isUnsupportedHostKey,
  readHostKey,
  verifyHostSignature,
} from '../../../adapters/keys/host-key.ts';
import { createRequestVault } from '../../../adapters/ssh/request-vault.ts';
import type { SessionBind } from '../../../adapters/wire/session-bind.ts';
import type { Endpoint, PublicIdentity } from '../../../machines/ports.ts';
import { deviceIdentity } from '../../device-identity.ts';
import { begin, type Running } from '../../running.ts';
import { say } from '../../terminal/say.ts';
import { Trouble } from '../../trouble.ts';
import { startPhoneLink, type PhoneLink } from '../phone-link.ts';
import { identitiesOfHost, offeredIdentities, rememberOffer } from '../records.ts';
import { askerOf } from './asker.ts';
import { narrateAgent } from './agent-words.ts';
import { createKeyOrder, isForAgents } from './key-order.ts';
import { loginNotesDirectory } from './name-helper.ts';
import { createAgentSigning } from './signing.ts';

/** How often the notes of logins that ended are cleared away. Milliseconds. */
const SWEEP_PERIOD = 60_000;

export interface AgentChoices {
  socket: string;
  /** An address given by hand. */
  phone: Endpoint | null;
}

/** Resolves with the exit status. @throws {Trouble} when it cannot listen or record. */
export async function serveAgent(choices: AgentChoices): Promise<number> {
  const running = begin('vmux');
  try {
    return await serve(running, choices);
  } finally {
    running.end();
  }
}

async function serve(running: Running, { socket, phone }: AgentChoices): Promise<number> {
  const { log } = running;
  const vault = createRequestVault();
  const identity = await deviceIdentity(running.home);
  const phoneLink = startPhoneLink({ running, identity, vault, given: phone });
  rememberOffers(running, phoneLink);
  const notes = readLoginNotes(loginNotesDirectory(running.home));
  const sweeping = setInterval(() => notes.sweep(), SWEEP_PERIOD).unref();
  const order = createKeyOrder();
  const identities = () => offeredIdentities(log).filter(isForAgents);
  const words = narrateAgent(phoneLink);

  const server = createAgentServer({
    listIdentities(connection) {
      const asker = askerOf(connection);
      const used = asker.hostKey === null ? [] : identitiesOfHost(log, asker.hostKey);
      return order.forAsker(identities(), asker, used).map(entryOf);
    },
    sign: createAgentSigning({ running, phoneLink, vault, notes, identities, tell: words.tell }),
    verifyBind,
  });
  running.onHalt(() => {
    vault.eraseAll();
    void server.close();
  });

  const ended = Promise.withResolvers<number | Trouble>();
  const stop = () => ended.resolve(0);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stop);
  void running.halted.then((error) => ended.resolve(new Trouble('logUnavailable', error.message)));
  try {
    await server.listen(socket).catch((error: unknown) => {
      throw troubleOf(error);
    });
    say(`listening on ${socket}. export SSH_AUTH_SOCK='${socket}' uses it; Ctrl-C ends it`);
    const result = await ended.promise;
    if (result instanceof Trouble) throw result;
    return result;
  } finally {
    for (const signal of signals) process.off(signal, stop);
    clearInterval(sweeping);
    await server.close();
    await phoneLink.close();
    vault.eraseAll();
  }
}

function troubleOf(error: unknown): unknown {
  if (!(error instanceof AgentSocketError)) return error;
  const reason = error.problem === 'inUse' ? 'agentRunning' : 'agentSocketUnusable';
  return new Trouble(reason, error.message);
}

/** `ssh-add -l` lists what the phone has also while it is away. */
function rememberOffers({ log }: Running, { link }: PhoneLink): void {
  link.actor.subscribe(({ value, context }) => {
    const isUp = typeof value === 'object' && value.active === 'up';
    if (isUp && context.phone !== null) rememberOffer(log, context.phone.id, context.identities);
  });
}

const entryOf = ({ publicKey, label }: PublicIdentity) => ({
  keyBlob: Buffer.from(publicKey, 'base64'),
  comment: label,
});

function verifyBind({ hostKey, sessionId, signature }: SessionBind) {
  const key = readHostKey(hostKey);
  if (key === null) return isUnsupportedHostKey(hostKey) ? 'unsupported' : 'invalid';
  return verifyHostSignature(key, sessionId, signature) ? 'valid' : 'invalid';
}
