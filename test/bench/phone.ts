/**
 * A phone whose person approves at once, in a process of its own: a phone is another computer, and
 * what it writes does not stop the headset's event loop.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fromCallback } from 'xstate';
import { createScriptedVerification } from '../../adapters/biometrics/scripted.ts';
import { signWithP256, type P256Key } from '../../adapters/keys/p256.ts';
import type { SheetCommand, SheetFact } from '../../machines/phone/ports.ts';
import { deviceIdentity } from '../../app/device-identity.ts';
import { metPhoneAt } from '../../app/headset/records.ts';
import { startPhone, type Person } from '../../app/phone/phone.ts';
import { begin } from '../../app/running.ts';
import { within, type Devices } from './devices.ts';

export interface ScriptedPhone {
  /**
   * Milliseconds that each sheet so far took no input: a timer of 0 ms and its record. With a
   * person they are 700.
   */
  settled: number[];
  stop: () => Promise<void>;
}

type Order = { phoneHome: string; key: Record<keyof P256Key, Uint8Array> } | 'stop';
type Message = { port: number } | { settled: number };

/** Starts the phone on 127.0.0.1, and lets the headset remember where it is. */
export async function startScriptedPhone(devices: Devices): Promise<ScriptedPhone> {
  const { phoneHome, headsetHome, phoneId, key } = devices;
  const child = fork(import.meta.filename, { serialization: 'advanced' });
  const exited = once(child, 'exit');
  const order = (what: Order) => void child.send(what);
  const settled: number[] = [];
  order({ phoneHome, key });
  const port = await new Promise<number>((resolve, reject) => {
    void exited.then(() => reject(new Error('the phone ended')));
    child.on('message', (message: Message) => {
      if ('port' in message) resolve(message.port);
      else settled.push(message.settled);
    });
  });
  within('vmux', headsetHome, ({ log }) =>
    metPhoneAt(log, phoneId, { address: '127.0.0.1', port }),
  );
  return {
    settled,
    async stop() {
      order('stop');
      await exited;
    },
  };
}

/** The key is open already, so no scrypt. */
function personWith(key: P256Key): Person {
  return {
    sheet: fromCallback<SheetCommand, undefined>(({ receive, sendBack }) => {
      const report = (fact: SheetFact) => sendBack(fact);
      receive(({ type, ref }) => {
        if (type === 'sheet.show') report({ type: 'sheet.shown', ref });
        if (type === 'sheet.accept') report({ type: 'user.approve', ref });
      });
    }),
    biometrics: (parts) =>
      createScriptedVerification(() => 'open sesame', {
        ...parts,
        openKey: async () => ({
          publicKey: key.publicKey,
          sign: (data) => signWithP256(key, data),
          close: () => {},
        }),
      }),
  };
}

const say = (message: Message) => void process.send?.(message);

async function run(home: string, key: P256Key): Promise<() => Promise<void>> {
  const running = begin('signer', home);
  const identity = await deviceIdentity(home);
  const person = personWith(key);
  const phone = await startPhone({
    running,
    identity,
    port: 0,
    host: '127.0.0.1',
    person,
    settle: 0,
  });
  let shownAt = 0;
  phone.signer.actor.subscribe((snapshot) => {
    const isSettling = snapshot.matches({ awake: { linked: { reviewing: 'settling' } } });
    if (isSettling) shownAt ||= performance.now();
    else if (shownAt > 0) {
      say({ settled: performance.now() - shownAt });
      shownAt = 0;
    }
  });
  say({ port: phone.port });
  return async () => {
    await phone.close();
    running.end();
  };
}

if (import.meta.main) {
  const [{ phoneHome, key }] = (await once(process, 'message')) as [Exclude<Order, 'stop'>];
  const stop = await run(phoneHome, {
    scalar: Buffer.from(key.scalar),
    publicKey: Buffer.from(key.publicKey),
  });
  await once(process, 'message');
  await stop();
  process.disconnect();
}
