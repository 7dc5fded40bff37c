import type { AddressInfo } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import ssh2 from 'ssh2';
import { afterEach, expect, it } from 'vitest';
import { newHostKey } from '../../app/demo/host-key.ts';
import { runSession } from '../../adapters/ssh/session.ts';

const client = new ssh2.Client();
const server = new ssh2.Server({ hostKeys: [newHostKey()] }, (connection) => {
  connection.on('authentication', (context) => context.accept());
  connection.on('session', (accept) => {
    accept().on('exec', (acceptCommand) => {
      const channel = acceptCommand();
      channel.write('out');
      channel.exit(7);
      channel.end();
    });
  });
});

afterEach(async () => {
  client.end();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

it('the status of a command that ended in the same breath as it began is not lost', async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve).once('error', reject);
    client.connect({ host: '127.0.0.1', port, username: 'somebody' });
  });
  const stdout = new PassThrough();
  const end = await runSession(
    client,
    {
      command: 'true',
      terminal: null,
      stdin: Readable.from([]),
      stdout,
      stderr: new PassThrough(),
    },
    {},
  );
  expect(end).toEqual({ outcome: 'ended', status: 7, signal: null, detail: '' });
  expect(String(stdout.read())).toBe('out');
});
