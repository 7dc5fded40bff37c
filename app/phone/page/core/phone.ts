/** The phone behind the screens: its signer, its storage, its authenticator. */
import type { SignerMessage } from '../../../../adapters/phone-page/protocol.ts';
import type { PageSnapshot, Phone } from '../port.ts';
import { askedAbilities, firstAbilities, keepAwake, persistStorage } from './abilities.ts';
import { createAsking } from './asking.ts';
import { keepConnected, type Connection } from './connection.ts';
import { createCurrentSheet } from './current-sheet.ts';
import { createIdentities } from './identities.ts';
import { subscribe as subscribeToPush, unsubscribe } from './push.ts';
import { pairWith } from './sign-in.ts';
import { forgetDevice, loadDevice, type Device } from './store.ts';

export function createPhone(): Phone {
  const listeners = new Set<() => void>();
  let connection: Connection | null = null;
  let snapshot: PageSnapshot = {
    link: 'starting',
    wasUnpaired: false,
    state: null,
    sheet: null,
    ended: null,
    abilities: firstAbilities(),
  };

  function change(changes: Partial<PageSnapshot>): void {
    snapshot = { ...snapshot, ...changes };
    for (const listener of listeners) listener();
  }

  const asking = createAsking((message) => {
    if (connection === null || snapshot.link !== 'up') return false;
    connection.send(message);
    return true;
  });
  const sheet = createCurrentSheet({
    send: (message) => connection?.send(message),
    changed: (shown, ended) => change({ sheet: shown, ended: ended ?? snapshot.ended }),
  });
  const identities = createIdentities(asking.ask, async () => {
    const isPersistent = await persistStorage();
    change({ abilities: { ...snapshot.abilities, isPersistent } });
  });

  function received(message: SignerMessage): void {
    switch (message.type) {
      case 'hello':
        return;
      case 'state':
        return change({ state: message.state });
      case 'sheet':
        if (snapshot.sheet?.sheet.ref !== message.sheet.ref) change({ ended: null });
        return void sheet.arrived(message.sheet);
      case 'sheet.close':
        return sheet.closed(message);
      case 'reply':
      case 'refusal':
        return asking.answered(message);
    }
  }

  function connectAs(device: Device): void {
    connection?.end();
    connection = keepConnected({
      device,
      received,
      link(link) {
        if (link !== 'up') {
          asking.lost();
          sheet.lost();
        }
        change({ link });
      },
      unpaired() {
        connection = null;
        asking.lost();
        sheet.lost();
        void forgetDevice().catch(() => {});
        change({ link: 'unpaired', wasUnpaired: true, state: null });
      },
    });
  }

  async function begin(): Promise<void> {
    const device = await loadDevice().catch(() => null);
    if (device === null) change({ link: 'unpaired' });
    else connectAs(device);
    const asked = await askedAbilities();
    change({ abilities: { ...snapshot.abilities, ...asked } });
  }

  void begin();
  keepAwake();

  return {
    snapshot: () => snapshot,
    subscribe(changed) {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
    async pair(code, name) {
      const paired = await pairWith(code, name);
      if (typeof paired === 'string') return paired;
      change({ wasUnpaired: false });
      connectAs(paired);
      void persistStorage().then((isPersistent) =>
        change({ abilities: { ...snapshot.abilities, isPersistent } }),
      );
      return 'paired';
    },
    async forget() {
      connection?.end();
      connection = null;
      await forgetDevice();
      change({ link: 'unpaired', state: null, sheet: null });
    },
    sheetShown: sheet.painted,
    enterCode: sheet.code,
    setPinning: sheet.pin,
    deny: sheet.deny,
    approve: sheet.approve,
    createPasskey: identities.createPasskey,
    beginSealedKey: identities.beginSealedKey,
    ask: asking.ask,
    removeIdentity: (fingerprint) => identities.remove(fingerprint, snapshot.state),
    async turnPushOn() {
      const key = snapshot.state?.push.publicKey ?? null;
      if (key === null || !snapshot.abilities.push) return 'unavailable';
      const subscription = await subscribeToPush(key);
      if (typeof subscription === 'string') return subscription;
      await asking.ask({ do: 'push.on', subscription });
      return 'on';
    },
    async turnPushOff() {
      await asking.ask({ do: 'push.off' });
      await unsubscribe();
    },
  };
}
