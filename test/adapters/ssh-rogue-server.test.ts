import { once } from 'node:events';
import ssh2, { type Connection } from 'ssh2';
import { afterEach, expect, it } from 'vitest';
import { newHostKey } from '../../app/demo/host-key.ts';
import { makeIdentity, publicPart, runSshPort, type Harness } from '../support/ssh-port.ts';

/** ssh2's server side of the protocol: what it can send that its API would not let it send. */
interface Wire {
  authSuccess: () => void;
  authPKOK: (algorithm: string, key: Buffer) => void;
  authFailure: (methods: string[]) => void;
}

const identity = makeIdentity('key');
const hostKey = newHostKey();
let server: ssh2.Server;
let run: Harness;

/** Starts a server that answers an offered key as it likes, and offers it one. */
async function offerTo(answer: (wire: Wire, connection: Connection) => void): Promise<void> {
  server = new ssh2.Server({ hostKeys: [hostKey] }, (connection) => {
    connection.on('error', () => {});
    connection.on('authentication', (context) => {
      if (context.method === 'none') context.reject(['publickey']);
      else answer(Reflect.get(connection, '_protocol') as Wire, connection);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  run = runSshPort({ host: '127.0.0.1', port, user: 'someone' });
  await run.next('ssh.hostKeyUnknown');
  run.send({ type: 'ssh.acceptHostKey' });
  await run.next('ssh.publickeyWanted');
  run.send({ type: 'ssh.offer', identities: [publicPart(identity)] });
}

afterEach(() => {
  run.stop();
  server.close();
});

it('a server that accepts a key many times over gets one request', async () => {
  const key = Buffer.from(identity.publicKey, 'base64');
  await offerTo((wire, connection) => {
    // ssh2's server forgets after one answer what it was asked.
    const queue = Reflect.get(wire, '_authsQueue') as string[];
    for (let count = 0; count < 5; count++) {
      queue.push('publickey');
      wire.authPKOK(identity.algorithm, key);
    }
    connection.end();
  });
  await run.next('ssh.failed');
  expect(run.types().slice(3)).toEqual(['ssh.identityAccepted', 'ssh.failed']);
  expect(run.vault.challenge('request-1')).toBeNull();
});

it('a server that claims a login without a signature gets no session', async () => {
  await offerTo((wire) => wire.authSuccess());
  expect(await run.next('ssh.failed', 'ssh.authenticated')).toMatchObject({
    type: 'ssh.failed',
    reason: 'serverClosed',
  });
});

it('a server that claims a login while the sheet is up gets no session', async () => {
  const key = Buffer.from(identity.publicKey, 'base64');
  await offerTo((wire) => {
    wire.authPKOK(identity.algorithm, key);
    (Reflect.get(wire, '_authsQueue') as string[]).push('publickey');
    wire.authSuccess();
  });
  await run.next('ssh.failed');
  expect(run.types().slice(3)).toEqual(['ssh.identityAccepted', 'ssh.failed']);
});

it('a server that takes its acceptance back gets no second request', async () => {
  const key = Buffer.from(identity.publicKey, 'base64');
  await offerTo((wire) => {
    wire.authPKOK(identity.algorithm, key);
    (Reflect.get(wire, '_authsQueue') as string[]).push('publickey');
    wire.authFailure(['publickey']);
  });
  await run.next('ssh.permissionDenied');
  expect(run.types().slice(3)).toEqual(['ssh.identityAccepted', 'ssh.permissionDenied']);
  expect(run.vault.challenge('request-1')).toBeNull();
});
