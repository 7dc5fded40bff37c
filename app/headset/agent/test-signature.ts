/** A signature for nothing, all the way through the socket and the phone, to see whether it comes. */
import { createHash, randomBytes } from 'node:crypto';
import {
  askAgent,
  encodeSignRequest,
  readSignResponse,
} from '../../../adapters/agent/agent-client.ts';
import type { AgentIdentity } from '../../../adapters/agent/agent-server.ts';
import { fold } from '../../../adapters/event-log/replay.ts';
import type { EventLog } from '../../../adapters/event-log/store.ts';
import { readPlainKey } from '../../../adapters/keys/plain-key.ts';
import { verifyPlainSignature } from '../../../adapters/keys/plain-signature.ts';
import { sshsigData } from '../../../adapters/keys/sshsig.ts';
import { failures, type FailureReason } from '../../../machines/failures.ts';
import { signingMachine, type SigningInput } from '../../../machines/headset/signing.machine.ts';
import { showForeign } from '../../terminal/foreign-text.ts';
import { say } from '../../terminal/say.ts';
import { bad, good, type Finding } from '../../check.ts';
import { WAITING } from '../overlay.ts';

/** In no namespace that anything else checks, so that the signature is of no use to anybody. */
const NAMESPACE = 'vmux-doctor';

/** Longer than a request can wait at the phone. Milliseconds. */
const PATIENCE = 130_000;

/** How often the log is looked at for the request and its code. Milliseconds. */
const LOOK = 50;

/** The log is where the agent's machines are told from each other, if it is this agent's. */
export async function checkSignature(
  log: EventLog,
  socket: string,
  { keyBlob, comment }: AgentIdentity,
): Promise<Finding> {
  const key = readPlainKey(keyBlob);
  if (key === null) return bad('its first key cannot be checked here', 'Is it vmux agent?');
  const label = showForeign(comment, 40);
  say(`the phone shows a sheet for a test signature with ${label}: approve it there`);
  const data = sshsigData(NAMESPACE, randomBytes(32));
  const request = findRequest(log, createHash('sha256').update(data).digest('hex'));
  const watching = setInterval(() => {
    const code = request()?.code;
    if (code === undefined) return;
    clearInterval(watching);
    say(`${WAITING} code ${code}`);
  }, LOOK);
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    const answer = await askAgent(socket, encodeSignRequest(key.keyBlob, data), signal);
    const signature = answer === null ? null : readSignResponse(answer);
    if (signature === null) return refused(request()?.reason() ?? null);
    return verifyPlainSignature(key, data, signature)
      ? good(`by ${label}, verified here`)
      : bad(failures.badSignature.message, failures.badSignature.hint);
  } finally {
    clearInterval(watching);
  }
}

function refused(reason: FailureReason | null): Finding {
  if (reason === null) {
    return bad('the agent refused to sign', 'See what vmux agent says of it, where it runs.');
  }
  const { message, hint } = failures[reason];
  return bad(message, hint);
}

interface Found {
  code: string;
  /** Why it ended without a signature; `null`: it did not, or it is not known. */
  reason: () => FailureReason | null;
}

/** Looks for the machine that was started for these bytes; `null` while there is none. */
function findRequest(log: EventLog, challengeHash: string): () => Found | null {
  const earlier = new Set(log.streams('signing/'));
  let found: Found | null = null;
  return () => {
    if (found !== null) return found;
    for (const stream of log.streams('signing/')) {
      if (earlier.has(stream)) continue;
      const [begun] = log.read(stream);
      const { input } = (begun?.data ?? {}) as unknown as { input?: SigningInput };
      if (input?.challengeHash !== challengeHash) continue;
      const reason = () => fold(signingMachine, log.read(stream)).context.reason;
      found = { code: input.code, reason };
      break;
    }
    return found;
  };
}
