/** The demo's headset and phone: two state directories of this process, and their first meeting. */
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { filter, firstValueFrom, map, merge, mergeMap, of, timer, type Observable } from 'rxjs';
import { waitFor } from 'xstate';
import { browse } from '../../adapters/discovery/browse.ts';
import { networkInterfaces } from '../../adapters/discovery/interfaces.ts';
import { publish } from '../../adapters/discovery/publish.ts';
import type { DeviceIdentity } from '../../adapters/link/certificate.ts';
import { createHeadsetPairing } from '../../adapters/link/pairing/headset.ts';
import { createPhonePairing } from '../../adapters/link/pairing/phone.ts';
import { headsetPairingMachine } from '../../machines/pairing/headset-pairing.machine.ts';
import { phonePairingMachine } from '../../machines/pairing/phone-pairing.machine.ts';
import type { Endpoint } from '../../machines/ports.ts';
import { deviceIdentity } from '../device-identity.ts';
import { addPhone } from '../headset/records.ts';
import type { Program } from '../home.ts';
import { PAIRING_SERVICE_TYPE } from '../pairing-service.ts';
import { addHeadset } from '../phone/records.ts';
import { begin, type Running } from '../running.ts';
import { Trouble } from '../trouble.ts';
import type { Ending } from './ending.ts';
import type { Narrator } from './narrator.ts';
import { LOOPBACK } from './ssh-server.ts';
import type { Witness } from './witness.ts';

export interface Device {
  running: Running;
  identity: DeviceIdentity;
}

export interface Devices {
  headset: Device;
  phone: Device;
}

export const HEADSET_NAME = 'demo headset';
export const PHONE_NAME = 'demo iPhone';

/** How long a publication on loopback may take to be seen. Milliseconds. */
const DISCOVERY_PATIENCE = 3_000;
/** How long the scripted person needs to type six digits. Milliseconds. */
const TYPING = 300;

/** Opens the state of both below `directory`, until the end. Throws as `begin`. */
export async function openDevices(
  directory: string,
  witness: Witness,
  ending: Ending,
): Promise<Devices> {
  const open = async (program: Program, folder: string): Promise<Device> => {
    const running = witness.watch(begin(program, join(directory, folder)));
    ending.defer(running.end);
    void running.halted.then(({ message }) => ending.fail(new Trouble('logUnavailable', message)));
    return { running, identity: await deviceIdentity(running.home) };
  };
  return { headset: await open('vmux', 'headset'), phone: await open('signer', 'phone') };
}

/**
 * Pairs the two with the exchange that `signer pair` and `vmux pair` use; the scripted person types
 * the digits and confirms. Returns whether discovery works on this machine.
 *
 * @throws {Trouble} the pairing's reason
 */
export async function pairDevices(
  { headset, phone }: Devices,
  narrator: Narrator,
): Promise<'multicast' | 'direct'> {
  const door = createPhonePairing({
    identity: phone.identity,
    store(record) {
      const id = randomUUID();
      addHeadset(phone.running.log, { id, ...record });
      return id;
    },
  });
  const port = await door.listen(0, LOOPBACK);
  try {
    narrator.from('phone', `waits for a headset to pair with, on ${LOOPBACK} port ${port}`);
    const onPhone = phone.running.start(
      'phone-pairing',
      phonePairingMachine.provide({ actors: { pairing: door.actor } }),
      { deviceName: PHONE_NAME },
    );
    onPhone.deliver({ type: 'user.pair' });

    const { how, endpoint, took } = await find(port);
    if (how === 'multicast') {
      narrator.from('headset', `found it by DNS-SD in ${(took / 1000).toFixed(2)} s`);
    } else {
      narrator.from(
        'headset',
        'multicast is not available here: discovery is left out,',
        `and the direct address ${endpoint.address} port ${endpoint.port} is used`,
      );
    }

    let digits = '';
    const onHeadset = headset.running.start(
      'headset-pairing',
      headsetPairingMachine.provide({
        actors: {
          pairing: createHeadsetPairing({
            identity: headset.identity,
            endpoints: of(endpoint),
            onDigits: (six) => {
              digits = six;
            },
            store(record) {
              const id = randomUUID();
              addPhone(headset.running.log, { id, ...record });
              return id;
            },
          }),
        },
      }),
      { deviceName: HEADSET_NAME },
    );
    onHeadset.actor.subscribe((snapshot) => {
      if (snapshot.matches({ pairing: 'confirming' })) {
        narrator.from('person', 'confirms on the headset that the digits matched');
        queueMicrotask(() => onHeadset.deliver({ type: 'user.confirm' }));
      }
    });
    onPhone.actor.subscribe((snapshot) => {
      if (!snapshot.matches({ pairing: 'comparing' })) return;
      setTimeout(() => {
        narrator.from('headset', `shows six digits: ${digits.slice(0, 3)} ${digits.slice(3)}`);
        narrator.from('person', 'types them on the phone');
        door.enterDigits(digits);
      }, TYPING);
    });
    onHeadset.deliver({ type: 'user.pair' });

    const ends = await Promise.all(
      [onHeadset.actor, onPhone.actor].map((actor) =>
        waitFor(actor as typeof onHeadset.actor, ({ status }) => status === 'done', {
          timeout: Infinity,
        }),
      ),
    );
    const failed = ends.find(({ value }) => value !== 'paired');
    if (failed !== undefined) throw new Trouble(failed.context.reason ?? 'internalError');
    narrator.from('both', 'paired: each keeps the other’s certificate, nothing else is trusted');
    return how;
  } finally {
    await door.close();
  }
}

/** Where the demo publishes and browses: nothing of it leaves the machine. */
export const loopbackOnly = () => networkInterfaces().filter(({ internal }) => internal);

interface Found {
  how: 'multicast' | 'direct';
  endpoint: Endpoint;
  /** Milliseconds. */
  took: number;
}

/** Publishes the waiting phone and browses for it. */
function find(port: number): Promise<Found> {
  const started = performance.now();
  const instance = randomBytes(8).toString('hex');
  const serviceType = PAIRING_SERVICE_TYPE;
  const found = (how: Found['how'], endpoint: Endpoint): Found => ({
    how,
    endpoint,
    took: performance.now() - started,
  });

  const seen: Observable<Found> = browse({ serviceType, interfaces: loopbackOnly }).pipe(
    mergeMap((fact) =>
      fact.type === 'peer.found' && fact.instance === instance ? fact.endpoints : [],
    ),
    filter(({ address }) => address === LOOPBACK),
    map((endpoint) => found('multicast', endpoint)),
  );
  const unseen: Observable<Found> = merge(
    publish({ serviceType, port, instance, interfaces: loopbackOnly }).pipe(
      filter(({ type }) => type === 'advertiser.unavailable'),
    ),
    timer(DISCOVERY_PATIENCE),
  ).pipe(map(() => found('direct', { address: LOOPBACK, port })));
  return firstValueFrom(merge(seen, unseen));
}
