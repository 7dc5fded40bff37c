/** The sheet in the phone's page: every page that is open shows it, and the first answer counts. */
import { Buffer } from 'node:buffer';
import type {
  Approval,
  PageMessage,
  PageSheet,
  SheetMode,
  SignerMessage,
  VerifiedByPage,
} from '../../../adapters/phone-page/protocol.ts';
import type { Answer, Sheet, SheetCommand, SheetFact } from '../../../machines/phone/ports.ts';
import type { Screen } from '../screens.ts';

export interface PageScreenParts {
  /** Sends to every page that is open. `to` gives what that page is to be told. */
  tell(to: (pageId: string) => SignerMessage): void;
  /** The exact bytes to sign; `null` when they are gone. */
  bytesOf(ref: string): Uint8Array | null;
  approvalOf(fingerprint: string): Approval;
  /** Asked before anything that the person does counts. */
  isAwake(): boolean;
  /** A sheet came that only the page can approve. */
  arrived(ref: string): void;
}

export type PageScreen = ReturnType<typeof createPageScreen>;

interface Shown {
  sheet: Sheet;
  bytes: string;
  /** Milliseconds of the process's monotonic clock. */
  until: number;
  mode: SheetMode;
  triesLeft: number | null;
  pin: boolean;
  wasShown: boolean;
  /** The page whose tap approved. */
  approver: string | null;
}

type Waiting = { ref: string; pageId: string; resolve: (answer: VerifiedByPage | null) => void };

export function createPageScreen(parts: PageScreenParts) {
  let report: ((fact: SheetFact) => void) | null = null;
  let current: Shown | null = null;
  /** What came, or is to come, after the tap that approved. */
  let waiting: Waiting | null = null;
  let early: { ref: string; pageId: string; answer: VerifiedByPage | null } | null = null;

  function messageFor(shown: Shown, pageId: string): SignerMessage {
    const { ttl: total, ...sheet } = shown.sheet;
    const { bytes, mode, triesLeft, pin, approver } = shown;
    const left = Math.max(0, Math.round(shown.until - performance.now()));
    const deviceId = sheet.ref.slice(0, sheet.ref.indexOf('/'));
    const told: PageSheet = {
      ...sheet,
      left,
      total,
      bytes,
      deviceId,
      mode,
      triesLeft,
      pin,
      here: approver === pageId,
      approval: parts.approvalOf(sheet.fingerprint),
    };
    return { type: 'sheet', sheet: told };
  }

  function update(changes: Partial<Shown>): void {
    if (current === null) return;
    const shown = Object.assign(current, changes);
    parts.tell((pageId) => messageFor(shown, pageId));
  }

  function show(sheet: Sheet): void {
    forget();
    const bytes = parts.bytesOf(sheet.ref);
    if (bytes === null) return;
    current = {
      sheet,
      bytes: Buffer.from(bytes).toString('base64url'),
      until: performance.now() + sheet.ttl,
      mode: 'settling',
      triesLeft: null,
      pin: false,
      wasShown: false,
      approver: null,
    };
    update({});
    if (approves(sheet.fingerprint)) parts.arrived(sheet.ref);
  }

  function close(outcome: Answer['outcome']): void {
    if (current === null) return;
    const { ref } = current.sheet;
    forget();
    parts.tell(() => ({ type: 'sheet.close', ref, outcome }));
  }

  function forget(): void {
    current = null;
    early = null;
    waiting?.resolve(null);
    waiting = null;
  }

  function approves(fingerprint: string): boolean {
    const { by } = parts.approvalOf(fingerprint);
    return by === 'passkey' || by === 'sealed';
  }

  function follow(command: Exclude<SheetCommand, { type: 'sheet.show' | 'sheet.refused' }>): void {
    switch (command.type) {
      case 'sheet.askCode':
        return update({ mode: 'matching', triesLeft: null });
      case 'sheet.accept': {
        const isAfterCode = current?.mode === 'matching';
        const triesLeft = isAfterCode ? null : (current?.triesLeft ?? null);
        return update({ mode: 'deciding', approver: null, triesLeft });
      }
      case 'sheet.wrongCode':
      case 'sheet.retry':
        return update({ triesLeft: command.triesLeft });
      case 'sheet.pinning':
        return update({ pin: command.pin });
      case 'sheet.verifying':
        return update({ mode: 'verifying' });
      case 'sheet.count': {
        const { equal, waiting } = command;
        if (current !== null) update({ sheet: { ...current.sheet, equal, waiting } });
        return;
      }
      case 'sheet.close':
        return close(command.outcome);
    }
  }

  /** What came of the tap: for whoever waits for it, or will in a moment. */
  function settle(ref: string, pageId: string, answer: VerifiedByPage | null): void {
    if (current?.sheet.ref !== ref || current.approver !== pageId) return;
    if (waiting?.ref === ref && waiting.pageId === pageId) {
      waiting.resolve(answer);
      waiting = null;
    } else if (current.mode === 'deciding') early = { ref, pageId, answer };
  }

  const screen: Screen = {
    open: (to) => void (report = to),
    obey(command) {
      if (command.type === 'sheet.show') {
        const { type: _, ...sheet } = command;
        show(sheet);
      } else if (command.type !== 'sheet.refused' && command.ref === current?.sheet.ref) {
        follow(command);
      }
    },
    close() {
      close('withdrawn');
      report = null;
    },
  };

  return {
    screen,
    /** Whether it is this page's person who approves for this identity. */
    approves,
    /** Nobody has a page before them that shows this sheet. */
    unseen: (ref: string): void => report?.({ type: 'sheet.unseen', ref }),
    /** Whether this sheet is up and no page has painted it. */
    isUnseen: (ref: string): boolean =>
      current !== null && current.sheet.ref === ref && !current.wasShown,
    /** What a page that has just come is to show; `null`: no sheet. */
    current: (pageId: string): SignerMessage | null =>
      current === null ? null : messageFor(current, pageId),
    /** What a person did in a page. Counts for the sheet that it names, and for no other. */
    receive(pageId: string, message: Extract<PageMessage, { ref: string }>): void {
      const { ref } = message;
      const shown = current;
      if (shown === null || shown.sheet.ref !== ref || !parts.isAwake()) return;
      switch (message.type) {
        case 'sheet.shown':
          if (shown.wasShown || !approves(shown.sheet.fingerprint)) return;
          shown.wasShown = true;
          return report?.({ type: 'sheet.shown', ref });
        case 'sheet.code':
          return report?.({ type: 'user.code', ref, code: message.code });
        case 'sheet.pin':
          return report?.({ type: 'user.pin', ref, pin: message.pin });
        case 'sheet.deny':
          return report?.({ type: 'user.deny', ref });
        case 'sheet.approve':
          if (shown.mode !== 'deciding' || !approves(shown.sheet.fingerprint)) return;
          shown.approver = pageId;
          early = null;
          return report?.({ type: 'user.approve', ref });
        case 'sheet.verified': {
          const { assertion, signature } = message;
          return settle(ref, pageId, { assertion, signature });
        }
        case 'sheet.unverified':
          return settle(ref, pageId, null);
      }
    },
    /** A page went: what it was asked will not come. */
    left(pageId: string): void {
      if (current?.approver === pageId) settle(current.sheet.ref, pageId, null);
    },
    /** For the verification: what the page sends after the tap that approved this request. */
    answerOf(ref: string, signal: AbortSignal): Promise<VerifiedByPage | null> {
      const pageId = current?.approver ?? null;
      if (current?.sheet.ref !== ref || pageId === null) return Promise.resolve(null);
      if (early?.ref === ref && early.pageId === pageId) {
        const { answer } = early;
        early = null;
        return Promise.resolve(answer);
      }
      return new Promise((resolve) => {
        waiting = { ref, pageId, resolve };
        signal.addEventListener('abort', () => resolve(null), { once: true });
      });
    },
  };
}
