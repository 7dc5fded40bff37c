/** The phone behind the page's screens: what this browser holds, and its link to the signer. */
import {
  PAIRING_ALPHABET,
  PAIRING_LENGTH,
  type PageMessage,
} from '../../../../adapters/phone-page/protocol.ts';
import type { PageSnapshot, Phone } from '../port.ts';
import { firstAbilities, furtherAbilities, persist } from './abilities.ts';
import { createAsks } from './asks.ts';
import { assertOver, forgetPasskey } from './ceremony.ts';
import { createCreations } from './creations.ts';
import { dropDevice, loadDevice, type Device } from './device-key.ts';
import { openLink, type Link, type Told } from './link.ts';
import { subscribeToPush, unsubscribeFromPush } from './push.ts';
import { reloadOnce, reloaded } from './reload.ts';
import type { SealedCopies } from './ports.ts';
import { loadSealedCopies, noSealedCopies } from './sealed-copies.ts';
import { createSheets } from './sheets.ts';
import { pairDevice } from './sign-in.ts';
import { eraseAllStored } from './storage.ts';
import { keepScreenOn } from './wake-lock.ts';

const nothingKept =
  'This browser keeps nothing for this page, so it cannot be paired: is this a private window?';

/** Milliseconds out of sight after which a socket may have died unseen. */
const SHORT_ABSENCE = 5_000;

export function createPhone(): Phone {
  const listeners = new Set<() => void>();
  let snapshot: PageSnapshot = {
    link: 'starting',
    wasUnpaired: false,
    state: null,
    sheet: null,
    ended: null,
    abilities: firstAbilities(),
  };
  let link: Link | null = null;
  let copies: SealedCopies = noSealedCopies();
  let letScreenSleep: (() => void) | null = null;
  let hiddenAt = Date.now();
  /** What came is dealt with one by one, since some of it takes a moment. */
  let dealt: Promise<void> = Promise.resolve();

  function publish(change: Partial<PageSnapshot>): void {
    snapshot = { ...snapshot, ...change };
    for (const changed of listeners) changed();
  }

  const send = (message: PageMessage) => link?.send(message);
  /** Of this loading of the page: another window has another. */
  const documentId = crypto.randomUUID();
  const tellVisibility = () =>
    send({ type: 'page.visibility', document: documentId, visible: isVisible() });
  const asks = createAsks(send, () => snapshot.link === 'up');
  const sheets = createSheets({
    send,
    // What is still being read of a sheet when its link ends for good is shown no more.
    publish: (change) => publish(link === null ? { ...change, sheet: null } : change),
    identities: () => snapshot.state?.identities ?? [],
    host: location.hostname,
    copies: {
      find: (key) => copies.find(key),
      keep: (...one) => copies.keep(...one),
      drop: (key) => copies.drop(key),
    },
    assertOver,
    unanswered: () => link?.renew(),
  });
  const creations = createCreations({ ask: asks.ask, copies: () => copies, made: keepStored });

  function keepStored(): void {
    void persist().then((isPersistent) => {
      publish({ abilities: { ...snapshot.abilities, isPersistent } });
    });
  }

  async function deal(message: Told): Promise<void> {
    switch (message.type) {
      case 'state': {
        publish({ state: message.state });
        return sheets.returned(() => snapshot.state ?? message.state);
      }
      case 'sheet':
        return sheets.receive(message.sheet);
      case 'sheet.close':
        return sheets.closed(message.ref, message.outcome);
      case 'reply':
        return asks.replied(message.id, message.result);
      case 'refusal':
        return asks.refused(message.id, message.sentence);
    }
  }

  /** After all that came over the link before. */
  function inTurn(work: () => Promise<void> | void): void {
    dealt = dealt.then(work).catch(() => {});
  }

  function start(device: Device, isIn: boolean): void {
    const opened: Link = openLink({
      device,
      origin: location.origin,
      isIn,
      up() {
        reloaded();
        tellVisibility();
        publish({ link: 'up' });
      },
      message: (message) => inTurn(() => (link === opened ? deal(message) : undefined)),
      lost() {
        publish({ link: 'lost' });
        asks.lost(false);
        inTurn(() => sheets.lost());
      },
      unpaired() {
        end();
        asks.lost(true);
        publish({ wasUnpaired: true });
        dropDevice(device.browserId).catch(() => {});
      },
      otherProtocol() {
        if (!reloadOnce()) publish({ link: 'outdated' });
      },
    });
    link = opened;
    letScreenSleep ??= keepScreenOn();
    publish({ link: 'connecting', wasUnpaired: false });
  }

  function end(): void {
    link?.end();
    link = null;
    letScreenSleep?.();
    letScreenSleep = null;
    inTurn(() => sheets.lost());
    publish({ link: 'unpaired', state: null, sheet: null });
  }

  /** Another window may have paired this browser since. */
  async function begin(): Promise<void> {
    const kept = await loadDevice().catch(() => ({ device: null, wasUnpaired: false }));
    if (link !== null) return;
    if (kept.device === null) publish({ link: 'unpaired', wasUnpaired: kept.wasUnpaired });
    else start(kept.device, false);
  }

  document.addEventListener('visibilitychange', () => {
    tellVisibility();
    if (!isVisible()) {
      hiddenAt = Date.now();
      return;
    }
    if (link === null) void begin();
    else if (Date.now() - hiddenAt > SHORT_ABSENCE && !sheets.isApproving()) link.renew();
    link?.hurry();
  });
  addEventListener('online', () => {
    // What was open on the network of before is open no more, whatever it looks like.
    if (!sheets.isApproving()) link?.renew();
    link?.hurry();
  });

  void furtherAbilities().then((more) => {
    publish({ abilities: { ...snapshot.abilities, ...more } });
  });
  void loadSealedCopies().then((loaded) => {
    copies = loaded;
    return begin();
  });

  return {
    snapshot: () => snapshot,
    subscribe(changed) {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
    async pair(typed, name) {
      const code = codeOf(typed);
      if (code === null) return 'wrongCode';
      const paired = await pairDevice(code, name).catch(() => {
        throw new Error(nothingKept);
      });
      if (!paired.ok) return paired.why;
      link?.end();
      keepStored();
      start(paired.device, true);
      return 'paired';
    },
    async forget() {
      end();
      copies = noSealedCopies();
      await unsubscribeFromPush();
      await eraseAllStored();
      copies = await loadSealedCopies();
    },
    sheetShown: (ref) => send({ type: 'sheet.shown', ref }),
    enterCode: (ref, code) => send({ type: 'sheet.code', ref, code }),
    setPinning: (ref, pin) => send({ type: 'sheet.pin', ref, pin }),
    deny: (ref) => send({ type: 'sheet.deny', ref }),
    approve: (ref) => sheets.approve(ref),
    createPasskey: creations.createPasskey,
    beginSealedKey: creations.beginSealedKey,
    ask: asks.ask,
    async removeIdentity(fingerprint) {
      const identity = snapshot.state?.identities.find((one) => one.fingerprint === fingerprint);
      await asks.ask({ do: 'identity.remove', fingerprint });
      copies.drop(fingerprint);
      if (identity?.credential) await forgetPasskey(identity.credential);
    },
    async turnPushOn() {
      const publicKey = snapshot.state?.push.publicKey ?? null;
      if (publicKey === null || !snapshot.abilities.push) return 'unavailable';
      const subscription = await subscribeToPush(publicKey);
      if (typeof subscription === 'string') return subscription;
      await asks.ask({ do: 'push.on', subscription });
      return 'on';
    },
    async turnPushOff() {
      await asks.ask({ do: 'push.off' });
      await unsubscribeFromPush();
    },
  };
}

const isVisible = () => document.visibilityState === 'visible';

/** As the signer reads it: Crockford's way, in which O is 0, and I and L are 1. */
function codeOf(typed: string): string | null {
  const read = typed.toUpperCase().replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  const code = read.replaceAll(/[\s-]/g, '');
  const isCode =
    code.length === PAIRING_LENGTH && [...code].every((one) => PAIRING_ALPHABET.includes(one));
  return isCode ? code : null;
}
