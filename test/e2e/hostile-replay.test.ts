import ssh2, { type SignCallback } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ecdsaSignatureIn } from '../../adapters/ssh/blobs.ts';
import { signMessage } from '../support/hostile-headset.ts';
import { attackedPhone, PASSPHRASE, type AttackedPhone } from '../support/hostile-phone.ts';
import { hasSshd, startSshd, type Sshd } from '../support/sshd.ts';

const algorithm = 'ecdsa-sha2-nistp256';

describe.skipIf(!hasSshd)(
  `a headset that keeps a signature${hasSshd ? '' : ' (skipped: no sshd on this machine)'}`,
  () => {
    let attacked: AttackedPhone;
    let sshd: Sshd;

    beforeAll(async () => {
      attacked = await attackedPhone();
      sshd = await startSshd({ authorizedKeys: [`${algorithm} ${attacked.work.publicKey}`] });
    });
    afterAll(async () => {
      await attacked?.bench.clear();
      await sshd?.stop();
    });

    /** Logs in with whatever signature `sign` has for a challenge. */
    function logIn(sign: (challenge: Buffer) => Promise<Buffer>): Promise<'in' | 'refused'> {
      class OneKeyAgent extends ssh2.BaseAgent<string> {
        getIdentities(done: (error: null, keys: string[]) => void): void {
          done(null, [`${algorithm} ${attacked.work.publicKey}`]);
        }
        override sign(_key: string, challenge: Buffer, ...rest: unknown[]): void {
          const done = rest.at(-1) as SignCallback;
          void sign(challenge).then((blob) => done(null, ecdsaSignatureIn(blob, algorithm)!));
        }
      }
      const agent: ssh2.BaseAgent = new OneKeyAgent();
      const { address: host, port } = sshd;
      const client = new ssh2.Client();
      return new Promise<'in' | 'refused'>((resolve) => {
        client.on('ready', () => resolve('in')).on('close', () => resolve('refused'));
        client.on('error', () => {});
        client.connect({
          host,
          port,
          username: 'root',
          readyTimeout: 0,
          authHandler(left, _partial, next) {
            if (left === null) next({ type: 'agent', username: 'root', agent });
            else client.destroy();
          },
        });
      }).finally(() => client.end());
    }

    it('logs in with it once, and never again: the server refuses it in another session', async () => {
      const link = await attacked.link();
      let recorded: Buffer = Buffer.alloc(0);
      const first = await logIn(async (challenge) => {
        const request = signMessage(attacked.work, {
          user: 'root',
          data: challenge.toString('base64'),
        });
        link.say(request);
        await attacked.signer.answer(PASSPHRASE);
        const { signature } = await link.resultOf(request.id);
        recorded = Buffer.from(String(signature), 'base64');
        return recorded;
      });
      expect(first).toBe('in');
      expect(await logIn(async () => recorded)).toBe('refused');
      expect(sshd.log().match(/Accepted publickey/g)).toHaveLength(1);
      expect(sshd.log()).toContain('Failed publickey');
      expect(attacked.sheets()).toBe(1);
      expect(attacked.signatures()).toBe(1);
      await link.close();
    });
  },
);
