import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import {
  ecdsaSignatureIn,
  fingerprintOf,
  isSignatureOf,
  keyTypeOf,
} from '../../adapters/ssh/blobs.ts';
import { createRequestVault } from '../../adapters/ssh/request-vault.ts';
import type { SessionBind } from '../../adapters/wire/session-bind.ts';
import { createAuthenticator } from '../support/authenticator.ts';
import { makeIdentity, signAs } from '../support/ssh-port.ts';

const bindOf = (byte: number): SessionBind => ({
  hostKey: Buffer.of(byte),
  sessionId: Buffer.of(byte),
  signature: Buffer.of(byte),
  isForwarding: byte === 1,
});
const isZero = (bytes: Buffer) => bytes.every((byte) => byte === 0);

describe('the vault of requests', () => {
  it('overwrites what it held when a request is erased', () => {
    const vault = createRequestVault();
    const [challenge, signature] = [Buffer.from('challenge'), Buffer.from('signature')];
    vault.putChallenge('a', challenge, []);
    expect(vault.putSignature('a', signature)).toBe(true);
    vault.erase('a');
    expect([isZero(challenge), isZero(signature)]).toEqual([true, true]);
    expect([vault.challenge('a'), vault.takeSignature('a')]).toEqual([null, null]);
  });

  it('keeps what proves the destination, in its order, until the request is erased', () => {
    const vault = createRequestVault();
    const binds = [bindOf(1), bindOf(2)];
    vault.putChallenge('a', Buffer.from('challenge'), binds);
    binds.pop();
    expect(vault.binds('a')).toEqual([bindOf(1), bindOf(2)]);
    expect(vault.binds('b')).toEqual([]);
    vault.putChallenge('a', Buffer.from('another'), []);
    expect(vault.binds('a')).toEqual([]);
    vault.putChallenge('a', Buffer.from('a third'), [bindOf(3)]);
    vault.erase('a');
    expect(vault.binds('a')).toEqual([]);
  });

  it('takes no signature for a request that has ended', () => {
    const vault = createRequestVault();
    const late = Buffer.from('signature');
    expect(vault.putSignature('a', late)).toBe(false);
    expect(isZero(late)).toBe(true);
  });

  it('gives a signature once', () => {
    const vault = createRequestVault();
    vault.putChallenge('a', Buffer.from('challenge'), []);
    vault.putSignature('a', Buffer.from('signature'));
    expect(vault.takeSignature('a')?.toString()).toBe('signature');
    expect(vault.takeSignature('a')).toBeNull();
  });

  it('keeps requests apart and erases them all at once', () => {
    const vault = createRequestVault();
    const [one, two] = [Buffer.from('one'), Buffer.from('two')];
    vault.putChallenge('1', one, []);
    vault.putChallenge('2', two, []);
    vault.erase('1');
    expect(vault.challenge('2')).toBe(two);
    vault.eraseAll();
    expect([isZero(one), isZero(two)]).toEqual([true, true]);
  });
});

describe('blobs', () => {
  const identity = makeIdentity('key');
  const blob = Buffer.from(identity.publicKey, 'base64');
  const signature = signAs(identity, Buffer.from('challenge'));

  it('of keys give their type and fingerprint', () => {
    expect(keyTypeOf(blob)).toBe('ecdsa-sha2-nistp256');
    expect(fingerprintOf(blob)).toBe(identity.fingerprint);
    for (let end = 0; end < 4 + 19; end++) expect(keyTypeOf(blob.subarray(0, end))).toBeNull();
  });

  it('of signatures are taken whole, of the right algorithm, or not at all', () => {
    expect(ecdsaSignatureIn(signature, 'ecdsa-sha2-nistp256')).not.toBeNull();
    expect(ecdsaSignatureIn(signature, 'ssh-ed25519')).toBeNull();
    for (let end = 0; end < signature.length; end++) {
      expect(ecdsaSignatureIn(signature.subarray(0, end), 'ecdsa-sha2-nistp256')).toBeNull();
    }
    const longer = Buffer.concat([signature, Buffer.of(0)]);
    expect(ecdsaSignatureIn(longer, 'ecdsa-sha2-nistp256')).toBeNull();
  });

  it('of signatures have the form of one kind of key, and of no other', () => {
    const passkey = createAuthenticator({ hmacSecret: true });
    const kinds = [
      { type: identity.algorithm, good: signature },
      { type: passkey.identity.algorithm, good: passkey.signSsh(Buffer.from('challenge')) },
    ];
    for (const { type, good } of kinds) {
      expect(kinds.map((kind) => isSignatureOf(kind.type, good))).toEqual(
        kinds.map((kind) => kind.type === type),
      );
      for (let end = 0; end < good.length; end++) {
        expect(isSignatureOf(type, good.subarray(0, end))).toBe(false);
      }
      expect(isSignatureOf(type, Buffer.concat([good, Buffer.of(0)]))).toBe(false);
    }
  });
});
