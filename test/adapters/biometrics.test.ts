import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { assign, createActor, setup, toPromise, waitFor, type PromiseActorLogic } from 'xstate';
import { createPassphraseVerification } from '../../adapters/biometrics/passphrase.ts';
import { createScriptedVerification } from '../../adapters/biometrics/scripted.ts';
import { openKeyFile, writeKeyFile } from '../../adapters/keys/key-files.ts';
import { createOpenedKeys } from '../../adapters/keys/opened-keys.ts';
import { verifySignature } from '../../adapters/keys/p256.ts';
import { createSigning } from '../../adapters/keys/port.ts';
import { fingerprint } from '../../adapters/keys/public-key.ts';
import { sealKey, type OpenedKey } from '../../adapters/keys/sealed-key.ts';
import {
  biometricsPort,
  keysPort,
  type BiometricsInput,
  type Verification,
} from '../../machines/phone/ports.ts';
import { inTemporaryFolder, key, login } from './keys-examples.ts';

const own = fingerprint(key.publicKey);
const input = { ref: 'headset/1', fingerprint: own };

/** A key that opens with `secret`, and what became of it. */
function lock() {
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const watched = { opened: 0, closed: 0, kept: [] as string[] };
  return {
    watched,
    release: gate.resolve,
    asked: asked.promise,
    closed: closed.promise,
    parts: {
      async openKey(wanted: string, passphrase: Buffer) {
        asked.resolve();
        await gate.promise;
        if (wanted !== own) throw new RangeError('no such key');
        if (passphrase.toString() !== 'secret') return 'wrong' as const;
        watched.opened += 1;
        return {
          close() {
            watched.closed += 1;
            closed.resolve();
          },
        };
      },
      keep: (ref: string) => void watched.kept.push(ref),
    },
  };
}

function start(logic: PromiseActorLogic<Verification, BiometricsInput>, given = input) {
  const actor = createActor(logic, { input: given });
  actor.subscribe({ error: () => undefined });
  actor.start();
  return actor;
}

describe('the passphrase at the terminal', () => {
  test('opens the key, keeps it for this request, and is erased', async () => {
    const { parts, watched, release } = lock();
    const typed = Buffer.from('secret');
    const verification = createPassphraseVerification({ takePassphrase: () => typed, ...parts });
    release();
    expect(await toPromise(start(verification))).toEqual({ verdict: 'verified' });
    expect(watched).toEqual({ opened: 1, closed: 0, kept: ['headset/1'] });
    expect(typed).toEqual(Buffer.alloc(6));
  });

  test('that is wrong is refused, keeps nothing, and is erased', async () => {
    const { parts, watched, release } = lock();
    const typed = Buffer.from('secrets');
    const verification = createPassphraseVerification({ takePassphrase: () => typed, ...parts });
    release();
    expect(await toPromise(start(verification))).toEqual({ verdict: 'refused' });
    expect(watched).toEqual({ opened: 0, closed: 0, kept: [] });
    expect(typed).toEqual(Buffer.alloc(7));
  });

  test('that was not typed, or whose key is gone, is no verdict but a plain reason', async () => {
    const { parts, release } = lock();
    release();
    const none = createPassphraseVerification({ takePassphrase: () => null, ...parts });
    await expect(toPromise(start(none))).rejects.toEqual({
      name: 'NoPassphrase',
      message: 'no passphrase was given for this request',
    });
    const typed = Buffer.from('secret');
    const gone = createPassphraseVerification({ takePassphrase: () => typed, ...parts });
    const reason = await toPromise(start(gone, { ...input, fingerprint: 'SHA256:x' })).catch(
      (error: unknown) => error,
    );
    expect(reason).toEqual({ name: 'RangeError', message: 'no such key' });
    expect(reason).not.toBeInstanceOf(Error);
    expect(typed).toEqual(Buffer.alloc(6));
  });

  test('whose request ended while the key was opening leaves no key open', async () => {
    const { parts, watched, release, asked, closed } = lock();
    const typed = Buffer.from('secret');
    const verification = createPassphraseVerification({ takePassphrase: () => typed, ...parts });
    const actor = start(verification);
    await asked;
    actor.stop();
    release();
    await closed;
    expect(watched).toEqual({ opened: 1, closed: 1, kept: [] });
    expect(typed).toEqual(Buffer.alloc(6));
  });

  test('whose request ended at once opens nothing', async () => {
    const { parts, watched, release } = lock();
    const typed = Buffer.from('secret');
    const verification = createPassphraseVerification({ takePassphrase: () => typed, ...parts });
    start(verification).stop();
    release();
    await expect.poll(() => typed.equals(Buffer.alloc(6))).toBe(true);
    expect(watched).toEqual({ opened: 0, closed: 0, kept: [] });
  });
});

describe('the scripted person', () => {
  test('types what the script says, as late as it says', async () => {
    const { parts, watched, release } = lock();
    release();
    const verification = createScriptedVerification(async ({ ref }) => {
      await Promise.resolve();
      return ref === 'headset/1' ? 'secret' : 'something else';
    }, parts);
    expect(await toPromise(start(verification))).toEqual({ verdict: 'verified' });
    expect(await toPromise(start(verification, { ...input, ref: 'headset/2' }))).toEqual({
      verdict: 'refused',
    });
    expect(watched.kept).toEqual(['headset/1']);
  });
});

describe('verification and signing in a machine, with a sealed key file', () => {
  const challenge = login();
  const challengeHash = createHash('sha256').update(challenge).digest('hex');
  const machine = setup({
    types: {
      context: {} as { verdicts: string[]; signatureHash: string | null },
      events: {} as { type: 'user.approve' } | { type: 'request.withdrawn' },
    },
    actors: { biometrics: biometricsPort, keys: keysPort },
  }).createMachine({
    context: { verdicts: [], signatureHash: null },
    initial: 'reviewing',
    states: {
      reviewing: { on: { 'user.approve': 'verifyingUser' } },
      verifyingUser: {
        on: { 'request.withdrawn': 'ended' },
        invoke: {
          id: 'biometrics',
          src: 'biometrics',
          input,
          onDone: [
            { guard: ({ event }) => event.output.verdict === 'verified', target: 'signing' },
            {
              target: 'reviewing',
              actions: assign({
                verdicts: ({ context, event }) => [...context.verdicts, event.output.verdict],
              }),
            },
          ],
          onError: 'ended',
        },
      },
      signing: {
        invoke: {
          id: 'keys',
          src: 'keys',
          input: { ...input, challengeHash },
          onDone: {
            target: 'ended',
            actions: assign({ signatureHash: ({ event }) => event.output.signatureHash }),
          },
          onError: 'ended',
        },
      },
      ended: {},
    },
  });

  test('a wrong passphrase goes back to the sheet, the right one signs, once', async () => {
    await inTemporaryFolder(async (state) => {
      await writeKeyFile(state, await sealKey(key, Buffer.from('secret')));
      const { actor, opened, signatures } = provided(state, ['wrong', 'secret']);
      actor.send({ type: 'user.approve' });
      await waitFor(actor, (snapshot) => snapshot.context.verdicts.length === 1);
      expect(signatures).toEqual([]);
      actor.send({ type: 'user.approve' });
      const { context } = await waitFor(actor, (snapshot) => snapshot.matches('ended'));
      expect(signatures).toHaveLength(1);
      const signature = signatures[0] ?? Buffer.alloc(0);
      expect(verifySignature(key.publicKey, challenge, signature)).toBe(true);
      expect(context.signatureHash).toBe(createHash('sha256').update(signature).digest('hex'));
      expect(opened.take(input.ref)).toBeNull();
      actor.stop();
    });
  });

  test('a request withdrawn while the key opens leaves no signature and no open key', async () => {
    await inTemporaryFolder(async (state) => {
      await writeKeyFile(state, await sealKey(key, Buffer.from('secret')));
      const { actor, opened, signatures, opening, closed } = provided(state, ['secret']);
      actor.send({ type: 'user.approve' });
      await opening;
      actor.send({ type: 'request.withdrawn' });
      await closed;
      expect(actor.getSnapshot().value).toBe('ended');
      expect(signatures).toEqual([]);
      expect(opened.take(input.ref)).toBeNull();
      actor.stop();
    });
  });

  function provided(state: string, passphrases: string[]) {
    const opened = createOpenedKeys<OpenedKey>();
    const signatures: Uint8Array[] = [];
    const opening = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    const biometrics = createPassphraseVerification<OpenedKey>({
      takePassphrase: () => Buffer.from(passphrases.shift() ?? ''),
      openKey: async (wanted, passphrase) => {
        opening.resolve();
        const result = await openKeyFile(state, wanted, passphrase);
        if (result === 'wrong') return result;
        return {
          ...result,
          close: () => {
            result.close();
            closed.resolve();
          },
        };
      },
      keep: opened.keep,
    });
    const keys = createSigning({
      takeOpened: opened.take,
      challengeFor: () => challenge,
      keepReceipt: () => undefined,
      putSignature: (_ref, signature) => void signatures.push(signature),
    });
    const actor = createActor(machine.provide({ actors: { biometrics, keys } })).start();
    return { actor, opened, signatures, opening: opening.promise, closed: closed.promise };
  }
});
