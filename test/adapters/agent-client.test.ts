import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import {
  askAgent,
  encodeRequestIdentities,
  encodeSignRequest,
  readIdentitiesAnswer,
  readSignResponse,
} from '../../adapters/agent/agent-client.ts';
import { encodeFrame } from '../../adapters/agent/frames.ts';
import {
  encodeFailure,
  encodeIdentities,
  encodeSignResponse,
  readAgentRequest,
} from '../../adapters/agent/messages.ts';
import { signWithP256 } from '../../adapters/keys/p256.ts';
import { readSignData } from '../../adapters/keys/sign-data.ts';
import { sshsigData } from '../../adapters/keys/sshsig.ts';
import { publicKeyLine, publicIdentity } from '../../adapters/keys/public-key.ts';
import { encodeString } from '../../adapters/wire/ssh-wire.ts';
import { hasSshKeygen, key, unlessSshKeygen } from './keys-examples.ts';

const directory = mkdtempSync(join(tmpdir(), 'vmux-agent-client-'));
let server: Server | null = null;
const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server?.close();
  server = null;
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Something at a socket that does this with whoever comes. */
async function answering(serve: (socket: Socket) => void): Promise<string> {
  const path = join(directory, `${randomBytes(4).toString('hex')}.sock`);
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => server?.listen(path, resolve));
  return path;
}

const soon = () => AbortSignal.timeout(5_000);
const identities = [
  { keyBlob: Buffer.from('one'), comment: 'work' },
  { keyBlob: Buffer.from('two'), comment: '' },
];

describe('asking an agent', () => {
  test('the answer is the same however it is cut into pieces', async () => {
    const path = await answering((socket) => {
      socket.once('data', (request: Buffer) => {
        expect(request).toEqual(encodeFrame(encodeRequestIdentities()));
        for (const byte of encodeFrame(encodeFailure())) socket.write(Buffer.of(byte));
      });
    });
    expect(await askAgent(path, encodeRequestIdentities(), soon())).toEqual(encodeFailure());
  });

  test.each<[string, (socket: Socket) => void]>([
    ['closes', (socket) => socket.destroy()],
    ['ends within the answer', (socket) => socket.end(Buffer.of(0, 0, 0, 2, 12))],
    ['sends a length of nothing', (socket) => socket.write(Buffer.alloc(4))],
    ['sends an absurd length', (socket) => socket.write(Buffer.alloc(4, 0xff))],
  ])('nothing, where what listens %s', async (_what, serve) => {
    const path = await answering(serve);
    expect(await askAgent(path, encodeRequestIdentities(), soon())).toBeNull();
  });

  test('nothing, where nothing listens', async () => {
    const path = join(directory, 'nobody.sock');
    expect(await askAgent(path, encodeRequestIdentities(), soon())).toBeNull();
  });

  test('nothing, once the asker has waited long enough', async () => {
    const path = await answering(() => {});
    const signal = AbortSignal.timeout(20);
    expect(await askAgent(path, encodeRequestIdentities(), signal)).toBeNull();
    expect(await askAgent(path, encodeRequestIdentities(), signal)).toBeNull();
  });
});

describe('messages of the asking side', () => {
  test('are what the answering side reads', () => {
    const data = Buffer.from('data');
    expect(readAgentRequest(encodeRequestIdentities())).toEqual({ type: 'requestIdentities' });
    expect(readAgentRequest(encodeSignRequest(key.publicKey, data))).toEqual({
      type: 'sign',
      keyBlob: key.publicKey,
      data,
      flags: 0,
    });
    expect(readIdentitiesAnswer(encodeIdentities(identities))).toEqual(identities);
    expect(readSignResponse(encodeSignResponse(data))).toEqual(data);
  });

  test.each([
    ['identities', encodeIdentities(identities), readIdentitiesAnswer],
    ['a signature', encodeSignResponse(Buffer.from('signature')), readSignResponse],
  ])('%s: no truncation and no trailing byte is an answer', (_what, message, read) => {
    for (let length = 0; length < message.length; length += 1) {
      expect(read(message.subarray(0, length))).toBeNull();
    }
    expect(read(Buffer.concat([message, Buffer.of(0)]))).toBeNull();
    expect(read(encodeFailure())).toBeNull();
  });

  test('a count beyond the message is no answer', () => {
    expect(readIdentitiesAnswer(Buffer.from('0cffffffff', 'hex'))).toBeNull();
  });
});

test('an SSHSIG’s bytes are those that the phone reads', () => {
  expect(readSignData(sshsigData('vmux-doctor', Buffer.from('x')))).toMatchObject({
    kind: 'sshsig',
    namespace: 'vmux-doctor',
    hashAlgorithm: 'sha512',
  });
});

test.skipIf(!hasSshKeygen)(`OpenSSH verifies a signature over them${unlessSshKeygen}`, () => {
  const message = Buffer.from('a message');
  const signature = signWithP256(key, sshsigData('vmux-doctor', message));
  // PROTOCOL.sshsig §1.
  const blob = Buffer.concat([
    Buffer.from('SSHSIG'),
    Buffer.of(0, 0, 0, 1),
    encodeString(key.publicKey),
    encodeString('vmux-doctor'),
    encodeString(''),
    encodeString('sha512'),
    encodeString(signature),
  ]);
  const file = join(directory, 'signature');
  const signers = join(directory, 'signers');
  const base64 = blob.toString('base64').replace(/.{70}/g, '$&\n');
  writeFileSync(file, `-----BEGIN SSH SIGNATURE-----\n${base64}\n-----END SSH SIGNATURE-----\n`);
  writeFileSync(signers, `me ${publicKeyLine(publicIdentity(key.publicKey, ''))}\n`);
  const args = ['-Y', 'verify', '-f', signers, '-I', 'me', '-n', 'vmux-doctor', '-s', file];
  expect(execFileSync('ssh-keygen', args, { input: message }).toString()).toContain('Good');
});
