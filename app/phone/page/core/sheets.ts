/** The sheet on screen: what it says, whether that is true, and what the person answers. */
import type {
  PageMessage,
  PageSheet,
  SealedByPasskey,
  VerificationProblem,
} from '../../../../adapters/phone-page/protocol.ts';
import type { PageIdentity, PhoneState } from '../../../../adapters/phone-page/state.ts';
import type { Answer } from '../../../../machines/phone/ports.ts';
import type { EndedSheet, PageSnapshot, ShownSheet } from '../port.ts';
import { fromBase64url, toBase64url, type Bytes } from './bytes.ts';
import type { Asserted, AssertOver, SealedCopies } from './ports.ts';
import { isOtherwise, readBytes, type BytesFacts } from './read-bytes.ts';
import { readSealed, signSealed } from './sealed-key.ts';

export interface SheetsParts {
  /** To the signer, in the order of calls. */
  send(message: PageMessage): void;
  publish(change: Partial<Pick<PageSnapshot, 'sheet' | 'ended'>>): void;
  identities(): readonly PageIdentity[];
  /** Where the page is. */
  host: string;
  copies: SealedCopies;
  assertOver: AssertOver;
  /** The signer does not say what became of a request that was approved in time. */
  unanswered(): void;
}

export type Sheets = ReturnType<typeof createSheets>;

/** From the tap on. */
interface Approving {
  controller: AbortController;
  /** The signer has what it takes: it decides what becomes of the request. */
  isSent: boolean;
}

interface Current {
  shown: ShownSheet;
  /** What was read and what is signed are these very bytes. */
  bytes: Bytes;
  facts: BytesFacts | null;
  approving: Approving | null;
  expiry: ReturnType<typeof setTimeout>;
}

type Outcome = Answer['outcome'];

/** Milliseconds that the end of a sheet is on screen. */
const SHOWN_ENDED = 8_000;
/** Milliseconds after its end that the signer may take to tell what became of a request. */
const GRACE = 2_000;
/** Milliseconds after which a signer that is back has told of the sheet that it had. */
const RETURN_TIME = 500;

export function createSheets(parts: SheetsParts) {
  let current: Current | null = null;
  let ended: EndedSheet | null = null;
  /** Was on screen when the link was lost. */
  let missing: { sheet: PageSheet; wasApproved: boolean } | null = null;

  function show(next: Current): void {
    current = next;
    parts.publish({ sheet: next.shown });
  }

  function change(changes: Partial<ShownSheet>): void {
    if (current === null) return;
    show(Object.assign(current, { shown: { ...current.shown, ...changes } }));
  }

  function clear(): void {
    if (current === null) return;
    clearTimeout(current.expiry);
    current.approving?.controller.abort();
    current = null;
    parts.publish({ sheet: null });
  }

  function tellEnd({ ref, host, user }: PageSheet, outcome: Outcome, isTooLate: boolean): void {
    const until = performance.now() + SHOWN_ENDED;
    ended = { ref, host, user, outcome, isTooLate, until };
    parts.publish({ ended });
  }

  /** By the page's own clock; once the signer has an answer, only it knows. */
  function expire(ref: string): void {
    if (current?.shown.sheet.ref !== ref) return;
    const { shown, approving } = current;
    if (approving?.isSent === true) {
      current.expiry = setTimeout(parts.unanswered, GRACE);
      return;
    }
    clear();
    tellEnd(shown.sheet, 'expired', approving !== null);
  }

  async function settle(
    { shown, bytes }: Current,
    approving: Approving,
    record: SealedByPasskey | null,
    asserting: Promise<Asserted | null>,
  ): Promise<void> {
    const { ref, fingerprint } = shown.sheet;
    const asserted = await asserting;
    const isOver = () => approving.controller.signal.aborted || current?.approving !== approving;
    if (isOver()) return void asserted?.secret?.fill(0);
    if (asserted === null) return fail('notVerified');
    const { assertion, secret } = asserted;
    let signature: string | null = null;
    if (record !== null) {
      if (secret === null) return fail('prfUnavailable');
      const made = await signSealed(record, secret, bytes);
      if (isOver()) return;
      if (made === null) {
        // The next try is with the signer's copy, if it has one: this may be the only one.
        if (hasOther(shown.sheet, record)) parts.copies.drop(fingerprint);
        return fail('sealedKeyDamaged');
      }
      signature = toBase64url(made);
      parts.copies.keep(fingerprint, record);
    }
    approving.isSent = true;
    parts.send({ type: 'sheet.verified', ref, assertion, signature });
  }

  function fail(why: VerificationProblem): void {
    if (current === null) return;
    current.approving = null;
    parts.send({ type: 'sheet.unverified', ref: current.shown.sheet.ref, why });
    change({ problem: why });
  }

  return {
    /** Messages have to be handed in one after another. */
    async receive(sheet: PageSheet): Promise<void> {
      const arrived = performance.now();
      const until = arrived + sheet.left;
      const isSame =
        current?.shown.sheet.ref === sheet.ref && current.shown.sheet.bytes === sheet.bytes;
      const kept = isSame ? current : null;
      const bytes = kept?.bytes ?? fromBase64url(sheet.bytes) ?? new Uint8Array();
      const facts = kept === null ? await readBytes(bytes) : kept.facts;
      const isMismatch =
        facts !== null && (await isOtherwise(facts, sheet, parts.host, parts.identities()));
      if (kept === null) clear();
      // Its time may have run out meanwhile.
      else if (current !== kept) return;
      if (missing?.sheet.ref === sheet.ref) missing = null;
      clearTimeout(kept?.expiry);
      let approving = kept?.approving ?? null;
      const isByOther = sheet.mode === 'verifying' && !sheet.here;
      // After it was being verified, the signer wants another try.
      const isAnew = sheet.mode === 'deciding' && kept?.shown.sheet.mode === 'verifying';
      if (isMismatch || isByOther) approving?.controller.abort();
      if (isMismatch || isByOther || (isAnew && approving?.isSent === true)) approving = null;
      show({
        shown: {
          sheet,
          read: facts?.read ?? null,
          isMismatch,
          since: kept?.shown.since ?? arrived,
          until,
          problem: kept?.shown.problem ?? null,
        },
        bytes,
        facts,
        approving,
        expiry: setTimeout(() => expire(sheet.ref), Math.max(0, until - performance.now())),
      });
    },

    closed(ref: string, outcome: Outcome): void {
      if (current?.shown.sheet.ref === ref) {
        const { shown, approving } = current;
        const wasApproved = approving !== null;
        const isTooLate = outcome === 'expired' || outcome === 'withdrawn' || outcome === 'denied';
        clear();
        tellEnd(shown.sheet, outcome, wasApproved && isTooLate);
      } else if (ended?.ref === ref && ended.outcome !== outcome) {
        ended = { ...ended, outcome, isTooLate: ended.isTooLate && outcome !== 'signed' };
        parts.publish({ ended });
      }
    },

    /** The link is gone: nothing that the person does now would reach the signer. */
    lost(): void {
      if (current === null) return;
      const { sheet } = current.shown;
      missing = { sheet, wasApproved: current.approving !== null };
      clear();
    },

    /** The link is back, and the signer has told its state: what became of the sheet is there. */
    returned(state: () => PhoneState): void {
      if (missing === null) return;
      setTimeout(() => {
        if (missing === null) return;
        const { sheet, wasApproved } = missing;
        missing = null;
        const row = state().activity.find(({ ref }) => ref === sheet.ref);
        const outcome = row?.outcome ?? 'withdrawn';
        tellEnd(sheet, outcome, wasApproved && outcome !== 'signed');
      }, RETURN_TIME);
    },

    isApproving: () => current !== null && current.approving !== null,

    /** As in `Phone`: asks the authenticator before it returns. */
    approve(ref: string): void {
      // What was sent and changed nothing never reached the signer in time: the tap counts anew.
      if (current === null || current.approving?.isSent === false) return;
      const { shown, bytes } = current;
      const { sheet, read, isMismatch, until } = shown;
      if (sheet.ref !== ref || sheet.mode !== 'deciding' || read === null || isMismatch) return;
      if (sheet.badge.badge === 'changed') return;
      const timeout = until - performance.now();
      const { approval } = sheet;
      if (timeout <= 0 || (approval.by !== 'passkey' && approval.by !== 'sealed')) return;
      const record =
        approval.by === 'sealed' ? (parts.copies.find(sheet.fingerprint) ?? approval.sealed) : null;
      const salt = record && (readSealed(record)?.salt ?? null);
      if (approval.by === 'sealed' && salt === null) return change({ problem: 'sealedKeyDamaged' });
      const approving = { controller: new AbortController(), isSent: false };
      current.approving = approving;
      parts.send({ type: 'sheet.approve', ref });
      const { signal } = approving.controller;
      const ceremony = { signal, timeout, salt };
      void settle(
        current,
        approving,
        record,
        parts.assertOver(bytes, approval.credential, ceremony),
      );
      change({ problem: null });
    },
  };
}

/** Whether the signer has kept the key otherwise than this. */
function hasOther({ approval }: PageSheet, record: SealedByPasskey): boolean {
  const kept = approval.by === 'sealed' ? approval.sealed : null;
  const members = ['salt', 'iv', 'sealed'] as const;
  return kept !== null && members.some((member) => kept[member] !== record[member]);
}
