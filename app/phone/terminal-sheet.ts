/**
 * The sheet at the phone's terminal: what the person sees, and what they answer.
 *
 * The passphrase approves, a line with only `d` denies, and so does Esc. What is typed while no
 * sheet takes input is thrown away.
 */
import { fromCallback } from 'xstate';
import type { Answer, Sheet, SheetCommand, SheetFact } from '../../machines/phone/ports.ts';
import { fold, rowsNow } from '../terminal/fold.ts';
import { createPassphraseLine, passphraseDots } from '../terminal/passphrase-line.ts';
import { sheetLines, closingLine } from './sheet-words.ts';

export interface TerminalSheetParts {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  /** No redraws: for pipes and screen readers. */
  plain: boolean;
  /** Asked before anything typed counts; `false` throws it away (the phone was suspended). */
  isAwake: () => boolean;
  onInterrupt: () => void;
}

export type TerminalSheet = ReturnType<typeof createTerminalSheet>;

const isOnlyD = (line: Buffer) => line.length === 1 && (line[0]! | 0x20) === 0x64;

export function createTerminalSheet(parts: TerminalSheetParts) {
  const { input, output, plain } = parts;
  const line = createPassphraseLine();
  let typed: { ref: string; passphrase: Buffer } | null = null;
  let current: { sheet: Sheet; until: number; mode: Mode; triesLeft: number | null } | null = null;
  let report: ((fact: SheetFact) => void) | null = null;
  let drawn: string[] = [];
  let ticking: NodeJS.Timeout | undefined;

  const raw = input.isTTY;
  if (raw) input.setRawMode(true);
  input.on('data', feed);

  function feed(chunk: Buffer): void {
    try {
      if (raw && chunk.includes(0x03)) return parts.onInterrupt();
      if (!parts.isAwake() || current?.mode !== 'accepting') return;
      const { outcome } = line.feed(chunk);
      if (outcome === 'typing') return redraw();
      finish(outcome);
    } finally {
      chunk.fill(0);
    }
  }

  function finish(outcome: string): void {
    const { ref } = current!.sheet;
    const entered = outcome === 'entered' ? line.take() : null;
    line.clear();
    if (outcome === 'cancelled' || (entered !== null && isOnlyD(entered))) {
      report?.({ type: 'user.deny', ref });
    } else if (entered !== null && entered.length > 0) {
      forgetTyped();
      typed = { ref, passphrase: entered };
      report?.({ type: 'user.approve', ref });
    } else redraw();
  }

  function forgetTyped(): void {
    typed?.passphrase.fill(0);
    typed = null;
    line.clear();
  }

  function erase(): void {
    if (drawn.length > 0) output.write(`\x1b[${rowsNow(drawn, output.columns)}F\x1b[J`);
    drawn = [];
  }

  function redraw(): void {
    if (current === null || plain) return;
    const left = Math.max(0, Math.ceil((current.until - performance.now()) / 1000));
    const lines = [
      ...sheetLines(current.sheet, left),
      prompt(current.mode, current.triesLeft, passphraseDots(line.characters)),
    ].flatMap((one) => fold(one, output.columns, '⋯ '));
    erase();
    output.write(`${lines.join('\n')}\n`);
    drawn = lines;
  }

  function say(text: string): void {
    erase();
    output.write(`${text}\n`);
    redraw();
  }

  function show(sheet: Sheet): void {
    forgetTyped();
    current = { sheet, until: performance.now() + sheet.ttl, mode: 'settling', triesLeft: null };
    if (plain) output.write(`${sheetLines(sheet, Math.ceil(sheet.ttl / 1000)).join('\n')}\n`);
    else output.write('\x07');
    redraw();
    clearInterval(ticking);
    if (!plain) ticking = setInterval(redraw, 1000);
  }

  /**
   * Accepts only after what lies in the terminal already was read and thrown away: of a process
   * that was held up, the clocks are served first.
   */
  function accept(): void {
    if (current === null) return;
    current.mode = 'settling';
    const waiting = current;
    setImmediate(() => {
      if (current === waiting) change('accepting');
    });
  }

  function change(mode: Mode): void {
    if (current === null) return;
    current.mode = mode;
    if (plain && mode !== 'settling') output.write(`${prompt(mode, current.triesLeft, '')}\n`);
    redraw();
  }

  function close(outcome: Answer['outcome'] | null): void {
    if (current === null) return;
    const { sheet } = current;
    forgetTyped();
    clearInterval(ticking);
    current = null;
    erase();
    if (outcome !== null) say(closingLine(sheet, outcome));
  }

  return {
    /** What was typed for exactly this request, once; the taker zeroes it. */
    takePassphrase(ref: string): Buffer | null {
      if (typed?.ref !== ref) return null;
      const { passphrase } = typed;
      typed = null;
      return passphrase;
    },
    /** A line above the sheet. */
    say,
    actor: fromCallback<SheetCommand, undefined>(({ receive, sendBack }) => {
      report = sendBack;
      receive((command) => {
        if (command.type === 'sheet.show') {
          const { type: _, ...sheet } = command;
          show(sheet);
          sendBack({ type: 'sheet.shown', ref: sheet.ref } satisfies SheetFact);
        }
        if (command.ref !== current?.sheet.ref) return;
        if (command.type === 'sheet.accept') accept();
        if (command.type === 'sheet.retry') current.triesLeft = command.triesLeft;
        if (command.type === 'sheet.verifying') change('verifying');
        if (command.type === 'sheet.close') close(command.outcome);
      });
      return () => {
        close('withdrawn');
        report = null;
      };
    }),
    /** Leaves the terminal as it was. */
    restore(): void {
      close(null);
      input.off('data', feed);
      if (raw) input.setRawMode(false);
      input.pause();
    },
  };
}

type Mode = 'settling' | 'accepting' | 'verifying';

function prompt(mode: Mode, triesLeft: number | null, dots: string): string {
  if (mode === 'settling') return '  …';
  if (mode === 'verifying') return '  verifying…';
  const wrong =
    triesLeft === null
      ? ''
      : `wrong passphrase, ${triesLeft} ${triesLeft === 1 ? 'try' : 'tries'} left. `;
  return `  ${wrong}passphrase + Enter approves, d + Enter denies: ${dots}`;
}
