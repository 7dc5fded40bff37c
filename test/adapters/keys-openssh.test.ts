import { Buffer } from 'node:buffer';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { signWithP256 } from '../../adapters/keys/p256.ts';
import { fingerprint, publicIdentity, publicKeyLine } from '../../adapters/keys/public-key.ts';
import { readSignData, type SignData } from '../../adapters/keys/sign-data.ts';
import { wireReader } from '../../adapters/wire/wire-reader.ts';
import { certificateByOpenSsh, inTemporaryFolder, key, str, u32 } from './keys-examples.ts';

const sshd = '/usr/sbin/sshd';
const canLogIn = process.getuid?.() === 0 && existsSync(sshd) && existsSync('/run/sshd');
const unlessSshd = canLogIn ? '' : ' (skipped: needs root, sshd and /run/sshd)';

describe(`logins by OpenSSH's own ssh and sshd${unlessSshd}`, () => {
  test.skipIf(!canLogIn).each([
    ['unbound', 'publickey', false],
    ['host-bound', 'hostbound', false],
    ['unbound', 'certificate', true],
    ['host-bound', 'certificate', true],
  ] as const)(
    '%s: the bytes are read as %s, and our signature lets in',
    async (form, kind, withCertificate) => {
      await inTemporaryFolder(async (folder) => {
        const at = (name: string) => join(folder, name);
        execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at('host')]);
        const blob = withCertificate
          ? certificateByOpenSsh(folder, 'ed25519', ['-I', 'id', '-n', 'root'])
          : key.publicKey;
        const line = publicKeyLine(publicIdentity(key.publicKey, 'phone'));
        writeFileSync(at('authorized_keys'), withCertificate ? '' : `${line}\n`);
        const settings = [
          `HostKey ${at('host')}`,
          `AuthorizedKeysFile ${at('authorized_keys')}`,
          ...(withCertificate ? [`TrustedUserCAKeys ${at('ca-ed25519.pub')}`] : []),
          'StrictModes no',
          'UsePAM no',
          'PermitRootLogin yes',
          'AuthenticationMethods publickey',
        ];
        writeFileSync(at('sshd_config'), settings.join('\n'));
        const asked: (SignData | null)[] = [];
        const agent = await listenAsAgent(at('agent.sock'), blob, (data) => {
          asked.push(readSignData(data));
          return signWithP256(key, data);
        });
        try {
          const options = {
            ProxyCommand: `${sshd} -i -e -f ${at('sshd_config')}`,
            PubkeyAuthentication: form,
            IdentityAgent: at('agent.sock'),
            IdentityFile: 'none',
            PreferredAuthentications: 'publickey',
            StrictHostKeyChecking: 'no',
            UserKnownHostsFile: at('known_hosts'),
            LogLevel: 'ERROR',
          };
          const { stdout } = await promisify(execFile)('ssh', [
            '-F',
            'none',
            '-n',
            ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
            'root@web1',
            'id -un',
          ]);
          expect(stdout).toBe('root\n');
        } finally {
          agent.close();
        }
        const hostLine = readFileSync(at('host.pub'), 'utf8');
        expect(asked).toEqual([
          {
            kind,
            sessionId: expect.any(Buffer),
            user: 'root',
            algorithm: withCertificate
              ? 'ecdsa-sha2-nistp256-cert-v01@openssh.com'
              : 'ecdsa-sha2-nistp256',
            keyBlob: blob,
            fingerprint: fingerprint(key.publicKey),
            hostKey:
              form === 'host-bound' ? Buffer.from(hostLine.split(' ')[1] ?? '', 'base64') : null,
            certificate: withCertificate ? expect.objectContaining({ principals: ['root'] }) : null,
          },
        ]);
      });
    },
  );
});

/** As much of an agent (RFC 9987) as one login needs: one identity, and its signature. */
async function listenAsAgent(
  path: string,
  blob: Buffer,
  sign: (data: Uint8Array) => Buffer,
): Promise<Server> {
  const SSH_AGENT_FAILURE = 5;
  const SSH_AGENTC_REQUEST_IDENTITIES = 11;
  const SSH_AGENT_IDENTITIES_ANSWER = 12;
  const SSH_AGENTC_SIGN_REQUEST = 13;
  const SSH_AGENT_SIGN_RESPONSE = 14;
  function answer(message: Buffer): Buffer {
    if (message[0] === SSH_AGENTC_REQUEST_IDENTITIES) {
      const identity = Buffer.concat([str(blob), str('phone')]);
      return Buffer.concat([Buffer.of(SSH_AGENT_IDENTITIES_ANSWER), u32(1), identity]);
    }
    const reader = wireReader(message.subarray(1));
    const wanted = reader.string();
    const data = reader.string();
    if (message[0] !== SSH_AGENTC_SIGN_REQUEST || wanted === null || data === null) {
      return Buffer.of(SSH_AGENT_FAILURE);
    }
    return Buffer.concat([Buffer.of(SSH_AGENT_SIGN_RESPONSE), str(sign(data))]);
  }
  const server = createServer((socket) => {
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
        const end = 4 + pending.readUInt32BE(0);
        socket.write(str(answer(pending.subarray(4, end))));
        pending = pending.subarray(end);
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  return server;
}
