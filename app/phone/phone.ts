/** The phone of this process: the signer machine with its adapters. */
import { fromEventObservable, type CallbackActorLogic, type PromiseActorLogic } from 'xstate';
import type { NetworkInterface } from '../../adapters/discovery/interfaces.ts';
import { publish } from '../../adapters/discovery/publish.ts';
import { openKeyFile } from '../../adapters/keys/key-files.ts';
import { createOpenedKeys } from '../../adapters/keys/opened-keys.ts';
import { createSigning } from '../../adapters/keys/port.ts';
import type { OpenedKey } from '../../adapters/keys/sealed-key.ts';
import { readRequest } from '../../adapters/keys/sign-request.ts';
import type { OpeningParts } from '../../adapters/biometrics/verification.ts';
import type { DeviceIdentity } from '../../adapters/link/certificate.ts';
import { createListener } from '../../adapters/link/listener.ts';
import { createSuspensionWatch } from '../../adapters/link/suspension.ts';
import { signerMachine } from '../../machines/phone/signer.machine.ts';
import type {
  AdvertiseFact,
  AdvertiseInput,
  BiometricsInput,
  SheetCommand,
  Verification,
} from '../../machines/phone/ports.ts';
import type { Running } from '../running.ts';
import { version } from '../version.ts';
import { watchLog } from '../watch-log.ts';
import { createPinsPort, hostboundHosts } from './host-pins.ts';
import { keepReceipt } from './receipts.ts';
import { pairedHeadsets, removeHeadset } from './records.ts';
import { watchSettings } from './settings.ts';

/** The person: what shows them the sheet, and what verifies that it is they. */
export interface Person {
  sheet: CallbackActorLogic<SheetCommand, undefined>;
  biometrics: (parts: PersonParts) => PromiseActorLogic<Verification, BiometricsInput>;
}

export interface PersonParts extends OpeningParts<OpenedKey> {
  /** The exact bytes to sign; `null` when they are gone. They are lent: see `Requests`. */
  challengeFor(ref: string): Uint8Array | null;
}

export interface PhoneParts {
  running: Running;
  identity: DeviceIdentity;
  port: number;
  host: string;
  person: Person;
  /** Where it is published; every interface unless given. */
  interfaces?: () => NetworkInterface[];
  /** Milliseconds; see the signer machine. Only a program without a person's fingers shortens it. */
  settle?: number;
}

export type PhoneProcess = Awaited<ReturnType<typeof startPhone>>;

/** Listens and publishes. Rejects when the port cannot be had. */
export async function startPhone(parts: PhoneParts) {
  const { running, identity, port, host, person, interfaces, settle } = parts;
  const { log, home } = running;
  const opened = createOpenedKeys<OpenedKey>();
  const settings = watchSettings(log);

  const publicKeyOf = (fingerprint: string) => {
    const held = settings.known().identities.find((one) => one.fingerprint === fingerprint);
    return held === undefined ? null : Buffer.from(held.publicKey, 'base64');
  };
  const listener = createListener({
    identity,
    pairedDevices: () => pairedHeadsets(log),
    version: version(),
    readRequest: (data, claim) => readRequest(data, claim, publicKeyOf, Date.now()),
    onUnpaired: (deviceId) => removeHeadset(log, deviceId, 'headset'),
  });
  running.onHalt(() => {
    opened.discard();
    void listener.close();
  });
  const listeningAt = await listener.listen(port, host);

  const signer = running.start(
    'signer',
    signerMachine.provide({
      actors: {
        advertiser: fromEventObservable<AdvertiseFact, AdvertiseInput>(({ input }) =>
          publish({ ...input, interfaces }),
        ),
        listener: listener.actor,
        pins: createPinsPort(log, settings.changes),
        sheet: person.sheet,
        biometrics: person.biometrics({
          openKey: (fingerprint, passphrase) => openKeyFile(home, fingerprint, passphrase),
          keep: (ref, key, signal) => opened.keep(ref, key, signal),
          challengeFor: (ref) => listener.requests.challengeFor(ref),
        }),
        keys: createSigning({
          // A phone that slept since the approval must not sign now.
          takeOpened: (ref) => (suspension.check() ? opened.take(ref) : null),
          challengeFor: (ref) => listener.requests.challengeFor(ref),
          keepReceipt: (request, receipt) => keepReceipt(log, request, receipt),
          putSignature: (ref, signature) => {
            if (!listener.requests.putSignature(ref, signature)) throw new Error('request gone');
          },
        }),
      },
    }),
    {
      port: listeningAt,
      ...settings.known(),
      hostboundHosts: hostboundHosts(log),
      ...(settle !== undefined && { settle }),
    },
  );
  const tellChanges = () => settings.changes().forEach((event) => signer.deliver(event));
  tellChanges();

  signer.actor.subscribe((snapshot) => {
    // A key that was opened for a request that has ended meanwhile.
    const isOpening =
      snapshot.matches({ awake: { linked: 'verifyingUser' } }) ||
      snapshot.matches({ awake: { linked: 'signing' } });
    if (!isOpening) opened.discard();
  });

  const suspension = createSuspensionWatch(() => {
    opened.discard();
    listener.suspended();
    signer.deliver({ type: 'phone.suspended' });
    signer.deliver({ type: 'phone.resumed' });
  });
  suspension.start();

  let headsets = JSON.stringify(pairedHeadsets(log));
  const stopWatching = watchLog(log, () => {
    tellChanges();
    const paired = JSON.stringify(pairedHeadsets(log));
    if (paired !== headsets) listener.recheckPins();
    headsets = paired;
  });

  return {
    signer,
    port: listeningAt,
    challengeFor: (ref: string) => listener.requests.challengeFor(ref),
    /** Asked before anything that the person does counts. */
    isAwake: () => suspension.check(),
    async close() {
      suspension.stop();
      stopWatching();
      opened.discard();
      signer.stop();
      await listener.close();
    },
  };
}
