import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import ssh2 from 'ssh2';
import { afterEach, describe, expect, it } from 'vitest';
import { newHostKey } from '../../app/demo/host-key.ts';
import { readSignData } from '../../adapters/keys/sign-data.ts';
import { verifyIdentitySignature } from '../../adapters/keys/identity-signature.ts';
import { publicKeyLine } from '../../adapters/keys/public-key.ts';
import type { PublicIdentity } from '../../machines/ports.ts';
import { createAuthenticator, type Authenticator } from '../support/authenticator.ts';
import { makeIdentity, publicPart, runSshPort, signAs, type Harness } from '../support/ssh-port.ts';
import { hasSshd, startSshd, type Sshd } from '../support/sshd.ts';

let runs: Harness[] = [];

afterEach(() => {
  for (const run of runs) run.stop();
  runs = [];
});

/** Goes as far as the sheet, with a key of the server's that nobody knew. */
async function ask(
  { address: host, port }: { address: string; port: number },
  identities: PublicIdentity[],
) {
  const run = runSshPort({ host, port, user: null });
  runs.push(run);
  await run.next('ssh.hostKeyUnknown');
  run.send({ type: 'ssh.acceptHostKey' });
  await run.next('ssh.publickeyWanted');
  run.send({ type: 'ssh.offer', identities });
  const { requestId, fingerprint } = await run.next('ssh.identityAccepted');
  const challenge = Buffer.from(run.vault.challenge(requestId) ?? '');
  const answer = async (signature: Buffer) => {
    run.vault.putSignature(requestId, Buffer.from(signature));
    run.send({ type: 'ssh.handOver', requestId });
    return run.next('ssh.closed', 'ssh.permissionDenied', 'ssh.failed');
  };
  return { run, fingerprint, challenge, answer };
}

describe.skipIf(!hasSshd)('a login with a passkey at a real sshd (skipped without sshd)', () => {
  let server: Sshd;

  /** Its authorized_keys are the line that the phone gives out, unless given. */
  async function start({ identity }: Authenticator, line = publicKeyLine(identity)): Promise<void> {
    server = await startSshd({ authorizedKeys: [line], config: ['LogLevel DEBUG1'] });
  }
  afterEach(() => server.stop());

  it.each([
    ['that counts its signatures', {}],
    ['that is synced', { synced: true }],
    ['that signs the data of an extension, too', { hmacSecret: true }],
    ['of this very machine', { rpId: 'localhost', origin: 'http://localhost:8080' }],
  ])('that demands user verification: it is let in by one %s', async (_what, options) => {
    const authenticator = createAuthenticator(options);
    await start(authenticator);
    const { run, fingerprint, challenge, answer } = await ask(server, [authenticator.identity]);
    expect(fingerprint).toBe(authenticator.identity.fingerprint);
    expect(readSignData(challenge)).toMatchObject({
      kind: 'hostbound',
      algorithm: 'sk-ecdsa-sha2-nistp256@openssh.com',
      keyBlob: authenticator.blob,
      fingerprint,
      hostKey: Buffer.from(server.hostKeys.ed25519?.publicKey.split(' ')[1] ?? '', 'base64'),
    });
    const signature = authenticator.signSsh(challenge);
    expect(verifyIdentitySignature(authenticator.blob, challenge, signature)).toBe(true);
    expect(await answer(signature)).toMatchObject({ type: 'ssh.closed', status: 0 });
    expect(run.types().slice(-3)).toEqual([
      'ssh.identityAccepted',
      'ssh.authenticated',
      'ssh.closed',
    ]);
    expect(server.log()).toContain('Accepted publickey for');
    expect(server.log()).toContain(`ECDSA-SK ${fingerprint}`);
  });

  it('works as well where a browser adds members to the client data', async () => {
    const authenticator = createAuthenticator();
    await start(authenticator);
    const { challenge, answer } = await ask(server, [authenticator.identity]);
    const more = ',"other_keys_can_be_added_here":"do not compare clientDataJSON"';
    const signature = authenticator.signSsh(challenge, { more });
    expect(verifyIdentitySignature(authenticator.blob, challenge, signature)).toBe(true);
    expect(await answer(signature)).toMatchObject({ type: 'ssh.closed', status: 0 });
  });

  it.each([
    ['was made without user verification', { userVerified: false }],
    ['was made while nobody was there', { userPresent: false }],
    ["is another relying party's", { rpId: 'evil.example' }],
    ['announces extension data that are not there', { flipped: 0x80 }],
    ['is the one of a new credential', { type: 'webauthn.create' }],
  ])('is refused when the signature %s, and here as well', async (_what, behaviour) => {
    const authenticator = createAuthenticator();
    await start(authenticator);
    const { challenge, answer } = await ask(server, [authenticator.identity]);
    const signature = authenticator.signSsh(challenge, behaviour);
    expect(verifyIdentitySignature(authenticator.blob, challenge, signature)).toBe(false);
    expect(await answer(signature)).toMatchObject({ type: 'ssh.permissionDenied' });
    expect(server.log()).not.toContain('Accepted publickey');
  });

  it('is refused when another challenge was signed, and here as well', async () => {
    const authenticator = createAuthenticator();
    await start(authenticator);
    const { challenge, answer } = await ask(server, [authenticator.identity]);
    const other = Buffer.from(challenge);
    other[8] = (other[8] ?? 0) ^ 1;
    const signature = authenticator.signSsh(other);
    expect(verifyIdentitySignature(authenticator.blob, challenge, signature)).toBe(false);
    expect(await answer(signature)).toMatchObject({ type: 'ssh.permissionDenied' });
    expect(server.log()).not.toContain('Accepted publickey');
  });

  it.each([
    ['asked by a page of another site', { origin: 'https://evil.example' }],
    ['asked from within a page of another site', { crossOrigin: true }],
  ])('%s is let in by sshd, which does not look, and refused here', async (_what, behaviour) => {
    const authenticator = createAuthenticator();
    await start(authenticator);
    const { challenge, answer } = await ask(server, [authenticator.identity]);
    const signature = authenticator.signSsh(challenge, behaviour);
    expect(verifyIdentitySignature(authenticator.blob, challenge, signature)).toBe(false);
    expect(await answer(signature)).toMatchObject({ type: 'ssh.closed', status: 0 });
  });

  it('without verify-required is let in by sshd unverified, and refused here', async () => {
    const authenticator = createAuthenticator();
    await start(authenticator, authenticator.line);
    const { challenge, answer } = await ask(server, [authenticator.identity]);
    const signature = authenticator.signSsh(challenge, { userVerified: false });
    expect(verifyIdentitySignature(authenticator.blob, challenge, signature)).toBe(false);
    expect(await answer(signature)).toMatchObject({ type: 'ssh.closed', status: 0 });
  });

  it('sends nothing of a signature that is cut off, too long or of another kind', async () => {
    const authenticator = createAuthenticator();
    await start(authenticator);
    const plain = makeIdentity('plain');
    for (const spoil of [
      (good: Buffer) => good.subarray(0, -1),
      (good: Buffer) => Buffer.concat([good, Buffer.of(0)]),
      (_: Buffer, challenge: Buffer) => signAs(plain, challenge),
    ]) {
      const { challenge, answer } = await ask(server, [authenticator.identity]);
      const signature = spoil(authenticator.signSsh(challenge), challenge);
      expect(await answer(signature)).toMatchObject({
        type: 'ssh.failed',
        reason: 'internalError',
        detail: 'no usable signature was handed over',
      });
    }
    expect(server.log()).not.toContain('Failed publickey');
  });

  it('offers passkeys and plain keys in the order given, each under its own algorithm', async () => {
    const [refused, passkey] = [createAuthenticator(), createAuthenticator()];
    await start(passkey);
    const plain = makeIdentity('plain');
    const offered = [publicPart(plain), refused.identity, passkey.identity];
    const { run, challenge, answer } = await ask(server, offered);
    expect(run.facts.flatMap((fact) => ('fingerprint' in fact ? [fact.fingerprint] : []))).toEqual([
      expect.stringMatching(/^SHA256:/),
      plain.fingerprint,
      refused.identity.fingerprint,
      passkey.identity.fingerprint,
    ]);
    expect(await answer(passkey.signSsh(challenge))).toMatchObject({ status: 0 });
  });

  it('never offers a passkey under a name that is not its own', async () => {
    const { identity } = createAuthenticator();
    const plain = makeIdentity('plain');
    server = await startSshd({ authorizedKeys: [plain.line] });
    const { fingerprint } = await ask(server, [
      { ...identity, algorithm: 'ecdsa-sha2-nistp256' },
      { ...identity, fingerprint: plain.fingerprint },
      publicPart(plain),
    ]);
    expect(fingerprint).toBe(plain.fingerprint);
    expect(runs[0]?.types()).not.toContain('ssh.identityRefused');
  });
});

describe('a server that knows no security keys', () => {
  it('is offered the passkey, and logged in to with the plain key', async () => {
    const hostKey = newHostKey();
    const seen: string[] = [];
    const server = new ssh2.Server({ hostKeys: [hostKey] }, (connection) => {
      connection.on('error', () => {});
      connection.on('authentication', (context) => {
        if (context.method !== 'publickey') return context.reject(['publickey']);
        seen.push(`${context.key.algo} ${context.signature === undefined ? 'offered' : 'signed'}`);
        if (context.key.algo === 'ecdsa-sha2-nistp256') return context.accept();
        context.reject(['publickey']);
      });
      connection.on('session', (accept) => {
        accept().on('exec', (acceptExec) => {
          const channel = acceptExec();
          channel.exit(0);
          channel.end();
        });
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const plain = makeIdentity('plain');
    const { challenge, answer } = await ask({ address: '127.0.0.1', port }, [
      createAuthenticator().identity,
      publicPart(plain),
    ]);
    expect(await answer(signAs(plain, challenge))).toMatchObject({ status: 0 });
    expect(seen).toEqual([
      'sk-ecdsa-sha2-nistp256@openssh.com offered',
      'ecdsa-sha2-nistp256 offered',
      'ecdsa-sha2-nistp256 signed',
    ]);
    server.close();
  });
});
