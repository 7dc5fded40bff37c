import { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createActor, toPromise } from 'xstate';
import { verifyIdentitySignature } from '../../adapters/keys/identity-signature.ts';
import { signWithP256 } from '../../adapters/keys/p256.ts';
import { createSigning } from '../../adapters/keys/port.ts';
import { fingerprint, publicIdentity, publicKeyLine } from '../../adapters/keys/public-key.ts';
import { readSignData } from '../../adapters/keys/sign-data.ts';
import { readRequest } from '../../adapters/keys/sign-request.ts';
import { sshsigData } from '../../adapters/keys/sshsig.ts';
import { createAuthenticator, packForSsh } from '../support/authenticator.ts';
import {
  describeByOpenSsh,
  hasSshKeygen,
  hostKey,
  hostboundLogin,
  inTemporaryFolder,
  key,
  login,
  sshsig,
  str,
  u32,
  unlessSshKeygen,
} from './keys-examples.ts';

const SK = 'sk-ecdsa-sha2-nistp256@openssh.com';
const authenticator = createAuthenticator();
const { blob, identity, origin } = authenticator;
const passkeyLogin = hostboundLogin({ algorithm: SK, keyBlob: blob });

describe('a passkey among the identities', () => {
  test('has its fingerprint and a line by which the server demands user verification', () => {
    expect(publicIdentity(blob, 'passkey')).toEqual(identity);
    expect(publicKeyLine(identity)).toBe(`verify-required ${authenticator.line}`);
  });

  test('is one only whole, on its curve, and for a relying party', () => {
    for (let length = 0; length < blob.length; length += 1) {
      const cut = blob.subarray(0, length);
      expect(() => publicIdentity(cut, '')).toThrow(TypeError);
      expect(readSignData(login({ algorithm: SK, keyBlob: cut }))).toBeNull();
    }
    const keys = [Buffer.concat([blob, Buffer.of(0)]), createAuthenticator({ rpId: 'ssh:' }).blob];
    for (const keyBlob of keys) expect(readSignData(login({ algorithm: SK, keyBlob }))).toBeNull();
  });

  test('asks for a login that the phone can read, with the very key inside', () => {
    expect(readSignData(passkeyLogin)).toMatchObject({
      kind: 'hostbound',
      algorithm: SK,
      keyBlob: blob,
      fingerprint: identity.fingerprint,
      hostKey,
      certificate: null,
    });
    const claim = { fingerprint: identity.fingerprint, user: 'deploy', host: 'web', binds: [] };
    const held = (one: string) => (one === identity.fingerprint ? blob : null);
    expect(readRequest(passkeyLogin, claim, held, 0)).toMatchObject({ ok: true, user: 'deploy' });
    expect(readRequest(sshsig(), { ...claim, user: '' }, held, 0)).toMatchObject({
      kind: 'sshsig',
    });
    const mismatch = { ok: false, reason: 'requestMismatch' };
    const others = createAuthenticator();
    expect(readRequest(passkeyLogin, claim, () => others.blob, 0)).toEqual(mismatch);
    const other = hostboundLogin({ algorithm: SK, keyBlob: others.blob });
    expect(readRequest(other, claim, held, 0)).toEqual(mismatch);
  });

  test.each([
    ['a plain key under its name', { algorithm: SK, keyBlob: key.publicKey }],
    ['a plain algorithm', { algorithm: 'ecdsa-sha2-nistp256', keyBlob: blob }],
    ["its signature's algorithm", { algorithm: `webauthn-${SK}`, keyBlob: blob }],
  ])('is not read in a login with %s', (_what, parts) => {
    expect(readSignData(login(parts))).toBeNull();
  });
});

const verifies = (data: Uint8Array, made: Uint8Array) => verifyIdentitySignature(blob, data, made);

describe('a signature of a passkey', () => {
  const signature = authenticator.signSsh(passkeyLogin);
  test('verifies over its own bytes with its own key, and over nothing else', () => {
    expect(verifies(passkeyLogin, signature)).toBe(true);
    expect(verifies(login({ algorithm: SK, keyBlob: blob }), signature)).toBe(false);
    const { blob: otherKey } = createAuthenticator();
    expect(verifyIdentitySignature(otherKey, passkeyLogin, signature)).toBe(false);
    const moved = Buffer.concat([SK, 'nistp256', authenticator.point, 'other.local'].map(str));
    expect(verifyIdentitySignature(moved, passkeyLogin, signature)).toBe(false);
    expect(verifyIdentitySignature(key.publicKey, passkeyLogin, signature)).toBe(false);
    expect(verifies(passkeyLogin, signWithP256(key, passkeyLogin))).toBe(false);
  });

  test('with extension data verifies, with that data changed or left out it does not', () => {
    const withSecret = createAuthenticator({ hmacSecret: true });
    const assertion = withSecret.get(passkeyLogin);
    const { authenticatorData } = assertion;
    const verify = (data: Buffer) =>
      verifyIdentitySignature(
        withSecret.blob,
        passkeyLogin,
        packForSsh({ ...assertion, authenticatorData: data }, withSecret.origin),
      );
    expect(verify(authenticatorData)).toBe(true);
    expect(verify(authenticatorData.subarray(0, 37))).toBe(false);
    const changed = Buffer.from(authenticatorData);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    expect(verify(changed)).toBe(false);
    const unannounced = withSecret.signSsh(passkeyLogin, { flipped: 0x80 });
    expect(verifyIdentitySignature(withSecret.blob, passkeyLogin, unannounced)).toBe(false);
  });

  test('is refused when anything in it is cut off, added or flipped', () => {
    for (let at = 0; at < signature.length; at += 1) {
      expect(verifies(passkeyLogin, signature.subarray(0, at))).toBe(false);
      const flipped = Buffer.from(signature);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      expect(verifies(passkeyLogin, flipped)).toBe(false);
    }
    expect(verifies(passkeyLogin, Buffer.concat([signature, Buffer.of(0)]))).toBe(false);
  });

  test.each([
    ['nobody was verified', { userVerified: false }],
    ['nobody was there', { userPresent: false }],
    ['a page of another site asked', { origin: 'https://evil.example' }],
    ['a page asked over plain http', { origin: `http://${authenticator.rpId}` }],
    ['a page of another site had it in a frame', { crossOrigin: true }],
    ['a frame names the page around it', { more: ',"topOrigin":"https://evil.example"' }],
    ['a passkey was being made', { type: 'webauthn.create' }],
    ['extension data are announced that are not there', { flipped: 0x80 }],
    ['it is for another relying party', { rpId: 'other.local' }],
    ['the client data names a second challenge', { more: ',"challenge":"AAAA"' }],
    ['the client data is no JSON', { more: ',' }],
  ])('is refused when %s', (_what, behaviour) => {
    expect(verifies(passkeyLogin, authenticator.signSsh(passkeyLogin, behaviour))).toBe(false);
  });

  test.each([
    ['on another port', 'https://signer-7kq2.local:1234'],
    ['below the relying party', 'https://phone.signer-7kq2.local'],
  ])('is taken from a page %s', (_what, elsewhere) => {
    const made = authenticator.signSsh(passkeyLogin, { origin: elsewhere });
    expect(verifies(passkeyLogin, made)).toBe(true);
  });

  test('is refused when it names another origin than its client data', () => {
    const made = packForSsh(authenticator.get(passkeyLogin), `${origin}0`);
    expect(verifies(passkeyLogin, made)).toBe(false);
  });

  test('is refused with the credential in its authenticator data', () => {
    const made = authenticator.signSsh(passkeyLogin, { attested: true });
    expect(verifies(passkeyLogin, made)).toBe(false);
  });
});

/** What came of the request, and which signatures were left for the link. */
async function run(signature: Buffer) {
  const put: Uint8Array[] = [];
  const opened = { publicKey: blob, sign: () => signature, close: () => {} };
  const signing = createSigning({
    takeOpened: () => opened,
    challengeFor: () => passkeyLogin,
    keepReceipt: () => undefined,
    putSignature: (_ref, made) => void put.push(made),
  });
  const challengeHash = createHash('sha256').update(passkeyLogin).digest('hex');
  const input = { ref: 'headset/1', fingerprint: identity.fingerprint, challengeHash };
  const actor = createActor(signing, { input });
  actor.subscribe({ error: () => undefined });
  actor.start();
  const outcome = await toPromise(actor).catch((reason: unknown) => reason);
  return { outcome, put };
}

describe('the signing of an approved request with a passkey', () => {
  test('leaves the signature if the person was verified', async () => {
    const signature = authenticator.signSsh(passkeyLogin);
    const signatureHash = createHash('sha256').update(signature).digest('hex');
    expect(await run(signature)).toEqual({ outcome: { signatureHash }, put: [signature] });
  });

  test('leaves nothing if they were not', async () => {
    expect(await run(authenticator.signSsh(passkeyLogin, { userVerified: false }))).toEqual({
      outcome: { name: 'SignatureInvalid', message: 'the new signature does not verify' },
      put: [],
    });
  });
});

describe(`beside OpenSSH${unlessSshKeygen}`, () => {
  test.skipIf(!hasSshKeygen)('ssh-keygen -l reads the key and its fingerprint', async () => {
    await inTemporaryFolder((folder) => {
      const path = join(folder, 'id.pub');
      writeFileSync(path, `${authenticator.line}\n`);
      expect(describeByOpenSsh(path)).toBe(`256 ${fingerprint(blob)} passkey (ECDSA-SK)`);
    });
  });

  test.skipIf(!hasSshKeygen)('ssh-keygen -Y takes a signature by a passkey', async () => {
    await inTemporaryFolder((folder) => {
      const data = sshsigData('file', Buffer.from('the message\n'));
      const signature = authenticator.signSsh(data);
      expect(verifyIdentitySignature(blob, data, signature)).toBe(true);
      const path = join(folder, 'message.sig');
      const signers = join(folder, 'allowed_signers');
      writeFileSync(path, armoured('file', signature));
      writeFileSync(signers, `me ${authenticator.line}\n`);
      const ask = (message: string, ...options: string[]) =>
        spawnSync('ssh-keygen', ['-Y', ...options, '-n', 'file', '-s', path], {
          input: message,
          encoding: 'utf8',
        });
      const checked = ask('the message\n', 'check-novalidate');
      const ofKey = `with ECDSA-SK key ${identity.fingerprint}\n`;
      expect(checked.stdout).toBe(`Good "file" signature ${ofKey}`);
      const verified = ask('the message\n', 'verify', '-f', signers, '-I', 'me');
      expect(verified.stdout).toBe(`Good "file" signature for me ${ofKey}`);
      expect([checked.status, verified.status]).toEqual([0, 0]);
      expect(ask('another message\n', 'check-novalidate').status).not.toBe(0);
    });
  });
});

/** PROTOCOL.sshsig §3: the armoured file. */
function armoured(namespace: string, signature: Buffer): string {
  const fields = [blob, namespace, '', 'sha512', signature].map(str);
  const bytes = Buffer.concat([Buffer.from('SSHSIG'), u32(1), ...fields]);
  const lines = bytes.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----', ''].join('\n');
}
