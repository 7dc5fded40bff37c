/**
 * `agent-fuzz.ts SEED FRAMES SOCKET`: sends so many generated and mutated frames to an agent over
 * real sockets, checks each answer, and prints a JSON line of what happened. It exits 1 at the
 * first answer that is not the right one. The same seed makes the same frames.
 */
import { Buffer } from 'node:buffer';
import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createAgentServer } from '../../adapters/agent/agent-server.ts';

const [seed = 1, frames = 1000] = process.argv.slice(2, 4).map(Number);
const path = process.argv[4] ?? '';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let state = seed;
/** xorshift32: an integer from 0 to `below` - 1. */
function random(below: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const str = (bytes: Buffer) => Buffer.concat([u32(bytes.length), bytes]);
function noise(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at += 1) bytes[at] = random(256);
  return bytes;
}
const sessionLengths = [20, 32, 48, 64];

/** A message, and the types that its answer can have. */
interface Made {
  message: Buffer;
  answers: readonly number[];
}

/** Well-formed requests. Of a bind, the binds before it on its socket decide. */
const valid: (() => Made)[] = [
  () => ({ message: Buffer.of(11), answers: [12] }),
  () => ({
    message: Buffer.concat([
      Buffer.of(13),
      str(noise(random(100))),
      str(noise(random(300))),
      u32(random(8)),
    ]),
    answers: [14],
  }),
  () => ({ message: Buffer.concat([Buffer.of(27), str(Buffer.from('query'))]), answers: [29] }),
  () => ({
    message: Buffer.concat([
      Buffer.of(27),
      str(Buffer.from('session-bind@openssh.com')),
      str(noise(51)),
      str(noise(pick(sessionLengths))),
      str(noise(83)),
      Buffer.of(1),
    ]),
    answers: [5, 6],
  }),
];

function pick<T>(from: readonly T[]): T {
  return from[random(from.length)] as T;
}

/** Breaks a well-formed message in a way that can be foretold to be malformed. */
const breakers: ((message: Buffer) => Buffer)[] = [
  (message) => message.subarray(0, random(message.length)),
  (message) => Buffer.concat([message, noise(1 + random(40))]),
  (message) => {
    const other = Buffer.from(message);
    if (other.length >= 5) other.writeUInt32BE(0x80000000 + random(0x7fffffff), 1);
    else other.writeUInt8(30 + random(200));
    return other;
  },
  () =>
    Buffer.concat([
      Buffer.of([0, 1, 9, 17, 18, 19, 20, 21, 22, 23, 25, 26][random(12)] ?? 0),
      noise(random(200)),
    ]),
  () => Buffer.concat([Buffer.of(27), str(noise(1 + random(30))), noise(random(100))]),
];

/** Anything at all: its answer is only known to be one of the protocol's. */
const scramblers: ((message: Buffer) => Buffer)[] = [
  () => noise(1 + random(200)),
  (message) => {
    const other = Buffer.from(message);
    for (let flips = 1 + random(4); flips > 0; flips -= 1) {
      const at = random(other.length);
      other.writeUInt8(other.readUInt8(at) ^ (1 << random(8)), at);
    }
    return other;
  },
  (message) => {
    const at = random(message.length);
    return Buffer.concat([message.subarray(0, at), noise(1 + random(8)), message.subarray(at)]);
  },
  (message) => {
    const [from, to] = [random(message.length), random(message.length)];
    return Buffer.concat([message.subarray(0, from), message.subarray(to), Buffer.of(random(256))]);
  },
];

const FAILURE = [5];
const anyAnswer = [5, 6, 12, 14, 29];
const counts = { valid: 0, malformed: 0, scrambled: 0, large: 0, closing: 0 };

function make(): Made {
  if (random(4000) === 0) {
    counts.large += 1;
    return { message: Buffer.alloc(1 + random(256 * 1024), 17), answers: FAILURE };
  }
  const made = pick(valid)();
  const kind = random(10);
  if (kind < 2) {
    counts.valid += 1;
    return made;
  }
  const message = pick(kind < 7 ? breakers : scramblers)(made.message);
  if (message.length === 0) return make();
  counts[kind < 7 ? 'malformed' : 'scrambled'] += 1;
  return { message, answers: kind < 7 ? FAILURE : anyAnswer };
}

/** A length that has to close the socket. */
function makeClosing(): Buffer {
  counts.closing += 1;
  const length = random(2) === 0 ? 0 : 256 * 1024 + 1 + random(0xffffffff - 256 * 1024 - 1);
  return Buffer.concat([u32(length), noise(random(64))]);
}

function fail(what: string, message: Buffer): never {
  process.stderr.write(`seed ${seed}: ${what}: ${message.toString('hex')}\n`);
  process.exit(1);
}

/** Sends the messages cut into random pieces, and takes the answers until the agent closes. */
async function runSocket(batch: Made[], last: Buffer): Promise<void> {
  const socket = connect(path);
  const bytes = Buffer.concat([...batch.map(({ message }) => str(message)), last]);
  let unread: Buffer = Buffer.alloc(0);
  let answered = 0;
  socket.on('data', (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk]);
    while (unread.length >= 4 && unread.length >= 4 + unread.readUInt32BE()) {
      const type = unread.readUInt8(4);
      const { message, answers } = batch[answered] ?? fail('one answer too many', unread);
      if (!answers.includes(type)) fail(`answered by ${type}, not ${answers.join()}`, message);
      unread = unread.subarray(4 + unread.readUInt32BE());
      answered += 1;
    }
  });
  // The agent closes at once, with what follows the last length still unread.
  socket.on('error', () => undefined);
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random(4000);
    socket.write(bytes.subarray(at, end));
    at = end;
  }
  const waitedFor = () => batch[answered]?.message ?? last;
  const hanging = setTimeout(() => fail('no answer for 20 s', waitedFor()), 20_000);
  await new Promise((resolve) => socket.once('close', resolve));
  clearTimeout(hanging);
  if (answered !== batch.length || unread.length > 0) fail('closed too early', waitedFor());
}

const signature = Buffer.alloc(100, 1);
const server = createAgentServer({
  listIdentities: () => [{ keyBlob: signature, comment: 'fuzz' }],
  sign: async () => signature,
  verifyBind: () => 'valid',
});
await server.listen(path);

function memory(): number {
  collectGarbage();
  return process.memoryUsage().rss;
}

const socketFrames = 250;
const atOnce = 4;
let warm = 0;
let peak = 0;
const began = performance.now();
for (let sent = 0; sent < frames; sent += socketFrames * atOnce) {
  await Promise.all(
    Array.from({ length: atOnce }, () =>
      runSocket(Array.from({ length: socketFrames }, make), makeClosing()),
    ),
  );
  if (sent % (frames / 10) === 0 && sent > 0) {
    peak = Math.max(peak, memory());
    warm ||= peak;
  }
}
const grown = Math.max(peak, memory()) - warm;
await server.close();
process.stdout.write(
  `${JSON.stringify({ ...counts, grown, seconds: (performance.now() - began) / 1000 })}\n`,
);
