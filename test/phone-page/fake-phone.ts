/**
 * A phone that does what a test tells it to, in the place of the page's own: built into the page by
 * `built-screens.ts` and into nothing else. The test finds it as `fake` of the page.
 */
import type {
  CreateOutcome,
  PageSnapshot,
  PairOutcome,
  Phone,
  Sealing,
} from '../../app/phone/page/port.ts';
import type { Scene } from './scenes.ts';

export interface Fake {
  /** Shows another scene. */
  show(scene: Scene): void;
  /** What the screens called, with their arguments, in order. */
  readonly calls: unknown[][];
  answers: {
    pair: PairOutcome;
    create: CreateOutcome | 'continue';
    /** `null`: the key is made. */
    seal: CreateOutcome | null;
    /** Whether the browser can forget a passkey. */
    forgets: boolean;
    /** A sentence: what is asked is refused. */
    refusal: string | null;
    push: 'on' | 'denied' | 'unavailable';
  };
}

declare global {
  var fake: Fake;
  /** Of the page's beginning. */
  var firstScene: Scene | undefined;
}

/** Times of a scene count from when it is shown. */
function snapshotOf({ sheet, ended, ...rest }: Scene): PageSnapshot {
  const now = performance.now();
  return {
    ...rest,
    sheet: sheet === null ? null : { ...sheet, since: now + sheet.since, until: now + sheet.until },
    ended: ended === null ? null : { ...ended, until: now + ended.until },
  };
}

export function createPhone(): Phone {
  const { firstScene } = globalThis;
  if (firstScene === undefined) throw new Error('the test has set no scene');
  let snapshot = snapshotOf(firstScene);
  const listeners = new Set<() => void>();
  const calls: unknown[][] = [];
  const noted =
    (name: string) =>
    (...given: unknown[]) => {
      calls.push([name, ...given]);
    };
  const fake: Fake = {
    calls,
    show(scene) {
      snapshot = snapshotOf(scene);
      for (const changed of listeners) changed();
    },
    answers: {
      pair: 'paired',
      create: { ok: true, fingerprint: '' },
      seal: null,
      forgets: true,
      refusal: null,
      push: 'on',
    },
  };
  globalThis.fake = fake;
  const { answers } = fake;
  const refuseOr = async <T>(value: T): Promise<T> => {
    if (answers.refusal !== null) throw new Error(answers.refusal);
    return value;
  };
  const created = (): CreateOutcome =>
    answers.create === 'continue' ? { ok: false, why: 'refused', sentence: null } : answers.create;
  const sealing: Sealing = {
    async seal() {
      noted('seal')();
      return answers.seal ?? firstIdentity();
    },
    async giveUp() {
      noted('giveUp')();
      return answers.forgets;
    },
  };
  const firstIdentity = (): CreateOutcome => ({
    ok: true,
    fingerprint: snapshot.state?.identities[0]?.fingerprint ?? '',
  });

  return {
    snapshot: () => snapshot,
    subscribe(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    async pair(code, name) {
      noted('pair')(code, name);
      return answers.pair;
    },
    forget: async () => noted('forget')(),
    sheetShown: noted('sheetShown'),
    enterCode: noted('enterCode'),
    setPinning: noted('setPinning'),
    deny: noted('deny'),
    approve: noted('approve'),
    async createPasskey(label) {
      noted('createPasskey')(label);
      return created();
    },
    async beginSealedKey(label) {
      noted('beginSealedKey')(label);
      return answers.create === 'continue' ? { ok: 'continue', sealing } : created();
    },
    ask(action) {
      noted('ask')(action);
      return refuseOr(null);
    },
    removeIdentity(fingerprint) {
      noted('removeIdentity')(fingerprint);
      return refuseOr(undefined);
    },
    async turnPushOn() {
      noted('turnPushOn')();
      return answers.push;
    },
    turnPushOff: async () => noted('turnPushOff')(),
  };
}
