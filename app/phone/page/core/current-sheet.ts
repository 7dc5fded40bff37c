/** The sheet on screen: what its bytes say, and the one approval that it may get. */
import type {
  PageMessage,
  PageSheet,
  SealedByPasskey,
  SignerMessage,
  VerificationProblem,
} from '../../../../adapters/phone-page/protocol.ts';
import type { EndedSheet, ShownSheet } from '../port.ts';
import { fromBase64url } from './bytes.ts';
import { assertOver, type Asserted } from './ceremony.ts';
import { isMismatch, readBytes } from './read-bytes.ts';
import { signWithSealed } from './sealed-key.ts';
import { loadSealed, saveSealed } from './store.ts';

export interface SheetParts {
  send: (message: PageMessage) => void;
  /** What is on screen has changed. */
  changed: (sheet: ShownSheet | null, ended: EndedSheet | null) => void;
}

interface Current {
  shown: ShownSheet;
  /** The very buffer that was parsed, and that is signed. */
  bytes: Uint8Array<ArrayBuffer>;
  record: SealedByPasskey | null;
}

/** How long the end of a sheet stays on screen. Milliseconds. */
const ENDING = 6_000;

export function createCurrentSheet({ send, changed }: SheetParts) {
  let current: Current | null = null;
  let ceremony: { ref: string; abort: AbortController } | null = null;
  /** The sheet that is being read. */
  let arriving = 0;

  function show(shown: ShownSheet | null, ended: EndedSheet | null = null): void {
    if (current !== null && shown !== null) current.shown = shown;
    changed(shown, ended);
  }

  async function arrived(sheet: PageSheet): Promise<void> {
    const now = performance.now();
    if (current?.shown.sheet.ref === sheet.ref && current.shown.sheet.bytes === sheet.bytes) {
      const problem = sheet.mode === 'verifying' ? null : current.shown.problem;
      return show({ ...current.shown, sheet, until: now + sheet.left, problem });
    }
    const turn = (arriving += 1);
    const bytes = fromBase64url(sheet.bytes);
    const read = await readBytes(bytes);
    const record = await recordFor(sheet);
    if (turn !== arriving) return;
    forget();
    const shown = {
      sheet,
      read,
      isMismatch: read !== null && isMismatch(read, sheet, location.hostname),
      since: now,
      until: now + sheet.left,
      problem: null,
    };
    current = { shown, bytes, record };
    show(shown);
  }

  function forget(): void {
    ceremony?.abort.abort();
    ceremony = null;
    current = null;
  }

  function closed({ ref, outcome }: Extract<SignerMessage, { type: 'sheet.close' }>): void {
    arriving += 1;
    if (current?.shown.sheet.ref !== ref) return;
    const { host } = current.shown.sheet;
    const { read } = current.shown;
    const user = read !== null && read.kind !== 'sshsig' ? read.user : '';
    const isTooLate = ceremony?.ref === ref && outcome !== 'signed' && outcome !== 'denied';
    forget();
    show(null, { ref, outcome, host, user, isTooLate, until: performance.now() + ENDING });
  }

  /** The sheet of this request, if the person may answer it now. */
  function answerable(ref: string): Current | null {
    const found = current?.shown.sheet.ref === ref ? current : null;
    if (found === null || performance.now() >= found.shown.until) return null;
    const { mode } = found.shown.sheet;
    return mode === 'deciding' || mode === 'matching' ? found : null;
  }

  function approve(ref: string): void {
    const asked = answerable(ref);
    if (asked === null || ceremony !== null || asked.shown.sheet.mode !== 'deciding') return;
    const { shown, bytes, record } = asked;
    const { approval } = shown.sheet;
    if (shown.read === null || shown.isMismatch) return;
    if (approval.by !== 'passkey' && approval.by !== 'sealed') return;
    if (approval.by === 'sealed' && record === null) {
      return show({ ...shown, problem: 'sealedKeyDamaged' });
    }
    const abort = new AbortController();
    ceremony = { ref, abort };
    send({ type: 'sheet.approve', ref });
    show({ ...shown, problem: null });
    const options = { signal: abort.signal, timeout: shown.until - performance.now() };
    const salt = record === null ? {} : { salt: fromBase64url(record.salt) };
    const asserting = assertOver(bytes, approval.credential, { ...options, ...salt });
    void settle(ref, asserting, bytes, record, abort.signal);
  }

  async function settle(
    ref: string,
    asserting: Promise<Asserted>,
    bytes: Uint8Array<ArrayBuffer>,
    record: SealedByPasskey | null,
    signal: AbortSignal,
  ): Promise<void> {
    let why: VerificationProblem = 'notVerified';
    try {
      const { assertion, secret } = await asserting;
      if (signal.aborted) {
        secret?.fill(0);
        return;
      }
      let signature: string | null = null;
      if (record !== null) {
        why = secret === null ? 'prfUnavailable' : 'sealedKeyDamaged';
        if (secret === null) throw new Error(why);
        signature = await signWithSealed(record, secret, bytes);
      }
      if (!signal.aborted) send({ type: 'sheet.verified', ref, assertion, signature });
    } catch {
      if (signal.aborted) return;
      ceremony = null;
      send({ type: 'sheet.unverified', ref, why });
      if (current?.shown.sheet.ref === ref) show({ ...current.shown, problem: why });
    }
  }

  return {
    arrived,
    closed,
    approve,
    /** The signer cannot be heard: what it showed may be over. */
    lost(): void {
      arriving += 1;
      const wasOpen = current !== null;
      forget();
      if (wasOpen) show(null);
    },
    painted(ref: string): void {
      if (current?.shown.sheet.ref === ref) send({ type: 'sheet.shown', ref });
    },
    code(ref: string, code: string): void {
      if (answerable(ref)) send({ type: 'sheet.code', ref, code });
    },
    pin(ref: string, pin: boolean): void {
      if (answerable(ref)) send({ type: 'sheet.pin', ref, pin });
    },
    deny(ref: string): void {
      if (answerable(ref)) send({ type: 'sheet.deny', ref });
    },
  };
}

/** This browser's own copy of the sealed key, else the signer's. */
async function recordFor({ approval, fingerprint }: PageSheet): Promise<SealedByPasskey | null> {
  if (approval.by !== 'sealed') return null;
  const own = await loadSealed(fingerprint).catch(() => null);
  if (own !== null) return own;
  if (approval.sealed !== null) await saveSealed(fingerprint, approval.sealed).catch(() => {});
  return approval.sealed;
}
