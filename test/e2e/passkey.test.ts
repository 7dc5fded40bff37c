import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fromCallback } from 'xstate';
import { createScriptedVerification } from '../../adapters/biometrics/scripted.ts';
import { generateP256Key, signWithP256 } from '../../adapters/keys/p256.ts';
import { publicIdentity, publicKeyLine } from '../../adapters/keys/public-key.ts';
import { createListener, type Listener } from '../../adapters/link/listener.ts';
import { verifyAssertion } from '../../adapters/webauthn/assertion.ts';
import {
  checkReceipt,
  isReceiptFor,
  receiptOf,
  type Receipt,
} from '../../adapters/webauthn/receipt.ts';
import { sshSignatureOf } from '../../adapters/webauthn/ssh-signature.ts';
import { failures } from '../../machines/failures.ts';
import type {
  ListenerCommand,
  ListenerFact,
  SheetCommand,
  SheetFact,
} from '../../machines/phone/ports.ts';
import { deviceIdentity } from '../../app/device-identity.ts';
import { addPhone } from '../../app/headset/records.ts';
import { startPhone, type Person, type PhoneProcess } from '../../app/phone/phone.ts';
import {
  addHeadset,
  addIdentity,
  pairedHeadsets,
  type PairedHeadset,
} from '../../app/phone/records.ts';
import { begin, type Running } from '../../app/running.ts';
import { pinOnPhone, within } from '../bench/devices.ts';
import { startAgent, startClient } from '../support/agent-story.ts';
import { createAuthenticator, type Behaviour } from '../support/authenticator.ts';
import { runPort, unproven } from '../support/link-rig.ts';
import { createBench } from '../support/program-driver.ts';
import { eventsOf, runsOf, untold } from '../support/program-logs.ts';
import { connectTo } from '../support/program-story.ts';
import { hasSshd, startSshd, type Sshd } from '../support/sshd.ts';

/** The phone is not published. */
const nowhere = () => [];

describe.skipIf(!hasSshd)(
  `a phone that has a passkey${hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]'}`,
  () => {
    const bench = createBench('shared');
    const headset = bench.device('vmux');
    const phone = bench.device('signer');
    const authenticator = createAuthenticator({ hmacSecret: true });
    const plain = generateP256Key();
    const plainIdentity = publicIdentity(plain.publicKey, 'plain');
    let sshd: Sshd;
    let running: Running | null = null;
    let signer: PhoneProcess | null = null;
    let listener: Listener | null = null;

    /** What the person does with the next sheet, and what their authenticator does with them. */
    let approves = true;
    let behaviour: Partial<Behaviour> = {};
    let sheets = 0;
    let challenges: Buffer[] = [];
    let receipts: Receipt[] = [];

    beforeAll(async () => {
      const line = publicKeyLine(authenticator.identity);
      sshd = await startSshd({ authorizedKeys: [line], prefix: bench.prefix });
      for (const { home } of [headset, phone]) mkdirSync(home, { mode: 0o700 });
      const ofHeadset = await deviceIdentity(headset.home);
      const ofPhone = await deviceIdentity(phone.home);
      within('vmux', headset.home, ({ log }) =>
        addPhone(log, { id: randomUUID(), name: 'iPhone', ...ofPhone }),
      );
      within('signer', phone.home, ({ log }) => {
        addHeadset(log, { id: randomUUID(), name: 'Vision', ...ofHeadset });
        addIdentity(log, plainIdentity);
        addIdentity(log, authenticator.identity);
      });
      pinOnPhone(phone.home, sshd, 'web');
    });
    afterEach(async () => {
      await signer?.close();
      await listener?.close();
      running?.end();
      signer = listener = running = null;
    });
    afterAll(async () => {
      await bench.clear();
      await sshd?.stop();
    });

    /** The page's part: the assertion over the very bytes, verified, and its receipt kept. */
    function signWithPasskey(challenge: Uint8Array): Buffer {
      challenges.push(Buffer.from(challenge));
      const { blob: publicKey, origin } = authenticator;
      const assertion = authenticator.get(challenge, behaviour);
      const verified = verifyAssertion(assertion, { publicKey, challenge, origin });
      if (!verified.ok) throw new Error(verified.why);
      receipts.push(receiptOf(verified));
      return sshSignatureOf(verified);
    }

    const person: Person = {
      sheet: fromCallback<SheetCommand, undefined>(({ receive, sendBack }) => {
        const report = (fact: SheetFact) => sendBack(fact);
        receive(({ type, ref }) => {
          if (type === 'sheet.show') report({ type: 'sheet.shown', ref });
          if (type !== 'sheet.accept') return;
          sheets += 1;
          report({ type: approves ? 'user.approve' : 'user.deny', ref });
        });
      }),
      biometrics: (parts) =>
        createScriptedVerification(() => '', {
          ...parts,
          openKey: async (fingerprint) => {
            const isPasskey = fingerprint === authenticator.identity.fingerprint;
            return {
              publicKey: isPasskey ? authenticator.blob : plain.publicKey,
              sign: (data) => (isPasskey ? signWithPasskey(data) : signWithP256(plain, data)),
              close: () => {},
            };
          },
        }),
    };

    /** The phone's program, but for its person. */
    async function startedPhone(): Promise<{ address: string }> {
      approves = true;
      behaviour = {};
      sheets = 0;
      challenges = [];
      receipts = [];
      running = begin('signer', phone.home);
      const identity = await deviceIdentity(phone.home);
      const parts = { running, identity, port: 0, host: '127.0.0.1', person, interfaces: nowhere };
      signer = await startPhone({ ...parts, settle: 0 });
      return { address: `127.0.0.1:${signer.port}` };
    }

    const logins = () => sshd.log().split('Accepted publickey').length - 1;
    const signatures = () =>
      eventsOf(phone).filter(({ type }) => type === 'xstate.done.actor.keys').length;

    it('logs in at a server that demands user verification, and there is a receipt for it', async () => {
      const at = await startedPhone();
      const { status, stdout } = await headset.run(connectTo(sshd, at, ['id', '-un']));
      expect({ status, stdout, sheets }).toEqual({ status: 0, stdout: 'root\n', sheets: 1 });
      expect(sshd.log()).toContain(`ECDSA-SK ${authenticator.identity.fingerprint}`);
      const [challenge, ...others] = challenges;
      const [receipt] = receipts;
      expect.assert(challenge !== undefined && receipt !== undefined);
      expect(others).toEqual([]);
      expect(checkReceipt(receipt)).toEqual({ ok: true });
      expect(isReceiptFor(receipt, challenge)).toBe(true);
      const asked = eventsOf(headset).find(({ type }) => type === 'ssh.identityAccepted');
      expect(asked?.data).toMatchObject({ challengeHash: receipt.challengeHash });
      for (const device of [headset, phone]) {
        const log = JSON.stringify(eventsOf(device));
        expect(log).not.toContain(challenge.toString('base64url'));
        expect(log).not.toContain(challenge.toString('base64'));
      }
    });

    it('signs nothing when the person denies: the authenticator is not even asked', async () => {
      const at = await startedPhone();
      const before = [logins(), signatures()];
      approves = false;
      const { status, stderr } = await headset.run(connectTo(sshd, at, ['id', '-un']));
      expect(status).toBe(255);
      expect(stderr).toContain(failures.denied.message);
      expect({ sheets, challenges }).toEqual({ sheets: 1, challenges: [] });
      expect([logins(), signatures()]).toEqual(before);
    });

    it('lets nothing out that its authenticator signed without verifying the person', async () => {
      const at = await startedPhone();
      const before = [logins(), signatures()];
      behaviour = { userVerified: false };
      const { status, stderr } = await headset.run(connectTo(sshd, at, ['id', '-un']));
      expect(status).toBe(255);
      expect(stderr).toContain(failures.signingFailed.message);
      expect({ sheets, asked: challenges.length, receipts }).toEqual({
        sheets: 1,
        asked: 1,
        receipts: [],
      });
      expect([logins(), signatures()]).toEqual(before);
    });

    it.each([
      ['without verifying the person', { userVerified: false }],
      ['for a page of another site', { origin: 'https://evil.example' }],
    ])(
      'that lets out what was signed %s is not believed: the server never sees it',
      async (_what, how) => {
        let paired: PairedHeadset[] = [];
        within('signer', phone.home, ({ log }) => {
          paired = pairedHeadsets(log);
        });
        const rogue = createListener({
          identity: await deviceIdentity(phone.home),
          pairedDevices: () => paired,
          version: '1.2.3',
          readRequest: (_, { user }) => {
            return { ok: true, kind: 'hostbound', user, detail: null, proof: unproven };
          },
        });
        listener = rogue;
        let signed = 0;
        const port = await rogue.listen(0, '127.0.0.1');
        const told = runPort<ListenerCommand, ListenerFact, undefined>(
          rogue.actor,
          undefined,
          (fact) => {
            if (fact.type !== 'request.received') return;
            const { ref, linkId } = fact;
            const challenge = rogue.requests.challengeFor(ref) ?? Buffer.of();
            rogue.requests.putSignature(ref, authenticator.signSsh(challenge, how));
            signed += 1;
            const answer = { outcome: 'signed' } as const;
            queueMicrotask(() => told.send({ type: 'listener.answer', ref, linkId, answer }));
          },
        );
        told.send({ type: 'listener.advertise', identities: [authenticator.identity] });
        const before = logins();
        const failed = () => sshd.log().split('Failed publickey').length;
        const refusals = failed();
        const at = { address: `127.0.0.1:${port}` };
        const { status, stderr } = await headset.run(connectTo(sshd, at, ['id', '-un']));
        told.stop();
        expect({ status, signed }).toEqual({ status: 255, signed: 1 });
        expect(stderr).toContain(failures.badSignature.message);
        expect([logins(), failed()]).toEqual([before, refusals]);
      },
    );

    it('is offered to ssh by the agent with its plain key only, and doctor says why', async () => {
      const at = await startedPhone();
      const agent = await startAgent(headset, at);
      const listed = await startClient(headset, agent, ['ssh-add', '-L']).ended;
      expect(listed.stdout).toBe(`${publicKeyLine(plainIdentity)}\n`);

      const file = join(bench.directory, 'passkey.pub');
      writeFileSync(file, `${authenticator.line}\n`);
      const sign = ['ssh-keygen', '-Y', 'sign', '-n', 'file', '-f', file];
      const refused = await startClient(headset, agent, sign, { input: 'a message' }).ended;
      expect(refused.status).not.toBe(0);
      expect({ sheets, challenges }).toEqual({ sheets: 0, challenges: [] });

      const env = { SSH_AUTH_SOCK: agent.socket };
      const options = ['doctor', '--json', '--agent', '--phone', at.address];
      const { stdout } = await headset.run(options, { env });
      const checks = JSON.parse(stdout) as { hop: string; ok: boolean; found: string }[];
      const found = (name: string) => checks.find(({ hop }) => hop === name);
      expect(found('passkeys')).toMatchObject({
        ok: true,
        found:
          'not in the agent: passkey (ssh before 10.3 refuses their signatures there; vmux connect uses them)',
      });
      expect(found('agent keys')).toMatchObject({ ok: true, found: 'plain' });
      agent.kill('SIGTERM');
      await agent.ended;
    });

    it('leaves logs that fold to what the screens told', () => {
      expect(untold(headset)).toEqual([]);
      expect(runsOf(headset, 'connection').map(({ value, reason }) => reason ?? value)).toEqual([
        'disconnected',
        'denied',
        'signingFailed',
        'badSignature',
        'badSignature',
      ]);
    });
  },
);
