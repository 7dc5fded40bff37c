/** One connection of the demo, told as it goes. */
import type { SessionOptions } from '../../adapters/ssh/session.ts';
import type { RequestVault } from '../../adapters/ssh/request-vault.ts';
import { startConnection, type Connection } from '../headset/connection.ts';
import { hostKeyQuestion, progressOf, type ConnectionSnapshot } from '../headset/overlay.ts';
import type { PhoneLink } from '../headset/phone-link.ts';
import type { Target } from '../headset/records.ts';
import type { Running } from '../running.ts';
import { showForeign } from '../terminal/foreign-text.ts';
import type { Narrator } from './narrator.ts';

export interface SceneParts {
  headset: Running;
  phoneLink: PhoneLink;
  vault: RequestVault;
  narrator: Narrator;
  target: Target;
  /** Read instead of the person's ssh_config. */
  configFile?: string | undefined;
  /** Milliseconds; `null`: the page's ten seconds. */
  signerTimeout: number | null;
  /** Whether to go on with a host key that is not known; its question was told. */
  trustsHostKey: (fingerprint: string) => Promise<boolean>;
  openSession: () => SessionOptions;
}

export interface Scene {
  connection: Connection;
  /** Taps Connect, or Reconnect, and resolves with the state in which the session ended. */
  play(tap: 'user.connect' | 'user.reconnect'): Promise<ConnectionSnapshot>;
}

export function openScene(parts: SceneParts): Scene {
  const { narrator } = parts;
  const connection = startConnection({
    ...parts,
    running: parts.headset,
    onBanner: (text) => narrator.from('server', showForeign(text.trim(), 400)),
  });

  let shown = '';
  function tell(snapshot: ConnectionSnapshot): void {
    const progress = progressOf(snapshot);
    const code = progress?.code ?? null;
    const text = `${progress?.text ?? ''}${code === null ? '' : ` code ${code}`}`;
    if (text !== '' && text !== shown) narrator.from('headset', text);
    shown = text;
  }

  let asked = false;
  async function decide(snapshot: ConnectionSnapshot): Promise<void> {
    narrator.from('headset', ...hostKeyQuestion(snapshot));
    const trusted = await parts.trustsHostKey(snapshot.context.hostKey?.fingerprint ?? '');
    connection.deliver({ type: trusted ? 'user.acceptHostKey' : 'user.rejectHostKey' });
  }

  connection.actor.subscribe((snapshot) => {
    tell(snapshot);
    const isAsking = snapshot.matches({ session: 'confirmingHostKey' });
    if (isAsking && !asked) void decide(snapshot);
    asked = isAsking;
  });

  return {
    connection,
    play(tap) {
      return new Promise((resolve) => {
        const watching = connection.actor.subscribe((snapshot) => {
          if (snapshot.matches('idle') || snapshot.matches('session')) return;
          watching.unsubscribe();
          resolve(snapshot);
        });
        connection.deliver({ type: tap });
      });
    },
  };
}
