/** A real `signer start` on loopback with two paired headsets, one of them hostile. */
import { expect } from 'vitest';
import { verifySignature } from '../../adapters/keys/p256.ts';
import type { Envelope } from '../../adapters/event-log/envelope.ts';
import type { PublicIdentity } from '../../machines/ports.ts';
import { linkAs, signMessage, type HostileHeadset, type SignMessage } from './hostile-headset.ts';
import { createBench, type Bench, type Device } from './program-driver.ts';
import { eventsOf } from './program-logs.ts';
import { createIdentity, pair, startPhone, type Phone } from './program-story.ts';

export const PASSPHRASE = 'correct horse battery';

export interface AttackedPhone {
  bench: Bench;
  phone: Device;
  signer: Phone;
  /** Paired as `Hostile` and as `Other`. */
  hostile: Device;
  other: Device;
  otherId: string;
  work: PublicIdentity;
  disabled: PublicIdentity;
  /** A link with that headset's certificate; closed by `closeLinks`. The hostile one's by default. */
  link(headset?: Device): Promise<HostileHeadset>;
  closeLinks(): Promise<void>;
  /** How often the phone's log says that something was signed. */
  signatures(): number;
  /** How many sheets were shown since the start. */
  sheets(): number;
  verifies(request: SignMessage, signature: unknown): boolean;
  /** Asks for one good login, approves it, and checks the signature. */
  isServed(headset?: Device): Promise<void>;
  /** Ends the hostile one's cool-down, and resolves when the phone knows. */
  forgive(): Promise<void>;
}

export async function attackedPhone(): Promise<AttackedPhone> {
  const bench = createBench('shared');
  const phone = bench.device('signer');
  const [hostile, other] = [bench.device('vmux'), bench.device('vmux')];
  await Promise.all([
    createIdentity(phone, 'work', PASSPHRASE),
    createIdentity(phone, 'old', PASSPHRASE),
    pair(hostile, phone, { headset: 'Hostile', phone: 'Phone' }).then(() =>
      pair(other, phone, { headset: 'Other', phone: 'Phone' }),
    ),
  ]);
  await phone.run(['identity', 'disable', 'old']);
  const list = async <Row>(...args: string[]): Promise<Row[]> =>
    JSON.parse((await phone.run([...args, '--json'])).stdout) as Row[];
  const identities = await list<PublicIdentity>('identity', 'list');
  const devices = await list<{ id: string; name: string }>('devices');
  const labelled = (label: string) => found(identities.find((one) => one.label === label));
  const [work, disabled] = [labelled('work'), labelled('old')];
  const signer = await startPhone(phone);
  const links: HostileHeadset[] = [];

  async function link(headset = hostile): Promise<HostileHeadset> {
    const made = await linkAs(headset, signer.address);
    links.push(made);
    return made;
  }
  function verifies({ data }: SignMessage, signature: unknown): boolean {
    return verifySignature(bytes(work.publicKey), bytes(data), bytes(String(signature)));
  }
  return {
    bench,
    phone,
    signer,
    hostile,
    other,
    otherId: found(devices.find(({ name }) => name === 'Other')).id,
    work,
    disabled,
    link,
    async closeLinks() {
      for (const made of links.splice(0)) await made.close();
    },
    signatures: () =>
      eventsOf(phone).filter(({ type }) => type === 'xstate.done.actor.keys').length,
    sheets: () => signer.stdout().toString().split('SSH Sign Request').length - 1,
    verifies,
    async isServed(headset = hostile) {
      const good = await link(headset);
      const request = signMessage(work);
      good.say(request);
      await signer.answer(PASSPHRASE);
      const { outcome, signature } = await good.resultOf(request.id);
      expect(outcome).toBe('signed');
      expect(verifies(request, signature)).toBe(true);
    },
    async forgive() {
      const forgiven = () => eventsOf(phone).filter(isUnmuting).length;
      const before = forgiven();
      await phone.run(['devices', 'unmute', 'Hostile']);
      await expect.poll(forgiven, { timeout: 10_000 }).toBeGreaterThan(before);
    },
  };
}

const isUnmuting = ({ stream, type }: Envelope) =>
  stream.startsWith('signer/') && type === 'device.unmuted';

const bytes = (text: string) => Buffer.from(text, 'base64');

function found<T>(one: T | undefined): T {
  if (one === undefined) throw new Error('not in the list');
  return one;
}
