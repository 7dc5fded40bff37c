/**
 * The sheet at the phone's terminal: what the person sees, and what they answer.
 *
 * The passphrase approves, a line with only `d` denies, and so does Esc; a line with only `p` is
 * about pinning the host. Where the headset's code is wanted, two digits come first. What is typed
 * while no sheet takes input is thrown away.
 */
import type {
  Answer,
  Refused,
  Sheet,
  SheetCommand,
  SheetFact,
} from '../../machines/phone/ports.ts';
import { onScreens, type Screen } from './screens.ts';
import { fold, rowsNow } from '../terminal/fold.ts';
import { createPassphraseLine, passphraseDots } from '../terminal/passphrase-line.ts';
import {
  codeIn,
  isOnly,
  prompt,
  takesInput,
  type ApprovedAt,
  type Mode,
  type Shown,
} from './sheet-prompt.ts';
import { closingLine, refusedLine, sheetLines } from './sheet-words.ts';

export interface TerminalSheetParts {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  /** No redraws: for pipes and screen readers. */
  plain: boolean;
  /** Asked before anything typed counts; `false` throws it away (the phone was suspended). */
  isAwake: () => boolean;
  /** For the identity of this fingerprint; always here unless given. */
  approvedAt?: (fingerprint: string) => ApprovedAt;
  onInterrupt: () => void;
}

export type TerminalSheet = ReturnType<typeof createTerminalSheet>;

export function createTerminalSheet(parts: TerminalSheetParts) {
  const { input, output, plain } = parts;
  const line = createPassphraseLine();
  let typed: { ref: string; passphrase: Buffer } | null = null;
  let current: Shown | null = null;
  let lastRefused: string | null = null;
  let report: ((fact: SheetFact) => void) | null = null;
  let drawn: string[] = [];
  let ticking: NodeJS.Timeout | undefined;

  const raw = input.isTTY;
  if (raw) input.setRawMode(true);
  input.on('data', feed);

  function feed(chunk: Buffer): void {
    try {
      if (raw && chunk.includes(0x03)) return parts.onInterrupt();
      if (!parts.isAwake() || !takesInput(current)) return;
      const { outcome } = line.feed(chunk);
      if (outcome === 'typing') return redraw();
      finish(outcome);
    } finally {
      chunk.fill(0);
    }
  }

  function finish(outcome: string): void {
    const { mode, sheet } = current!;
    const { ref } = sheet;
    const entered = outcome === 'entered' ? line.take() : null;
    line.clear();
    if (outcome === 'cancelled' || (entered !== null && isOnly('d', entered))) {
      report?.({ type: 'user.deny', ref });
    } else if (entered === null || entered.length === 0) redraw();
    else if (mode === 'matching') enterCode(ref, entered);
    else if (isOnly('p', entered)) {
      if (sheet.canPin) report?.({ type: 'user.pin', ref, pin: !current!.pin });
      else redraw();
    } else if (current!.approvedAt !== 'terminal') {
      entered.fill(0);
      redraw();
    } else {
      forgetTyped();
      typed = { ref, passphrase: entered };
      report?.({ type: 'user.approve', ref });
    }
  }

  function enterCode(ref: string, entered: Buffer): void {
    const code = codeIn(entered);
    entered.fill(0);
    if (code === null) {
      repeatPrompt();
      redraw();
    } else report?.({ type: 'user.code', ref, code });
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
      ...sheetLines(current.sheet, left, current.pin),
      prompt(current, passphraseDots(line.characters)),
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
    const until = performance.now() + sheet.ttl;
    const approvedAt = parts.approvedAt?.(sheet.fingerprint) ?? 'terminal';
    current = { sheet, until, mode: 'settling', triesLeft: null, pin: false, approvedAt };
    lastRefused = null;
    if (plain) {
      output.write(`${sheetLines(sheet, Math.ceil(sheet.ttl / 1000), false).join('\n')}\n`);
    } else output.write('\x07');
    redraw();
    clearInterval(ticking);
    if (!plain) ticking = setInterval(redraw, 1000);
  }

  /**
   * Accepts only after what lies in the terminal already was read and thrown away: of a process
   * that was held up, the clocks are served first.
   */
  function accept(mode: 'matching' | 'accepting'): void {
    if (current === null) return;
    if (current.mode === 'matching') current.triesLeft = null;
    current.mode = 'settling';
    line.clear();
    const waiting = current;
    setImmediate(() => {
      if (current === waiting) change(mode);
    });
  }

  function change(mode: Mode): void {
    if (current === null) return;
    current.mode = mode;
    if (mode !== 'settling') repeatPrompt();
    redraw();
  }

  /** Where nothing is redrawn, news of the sheet is a line of its own. */
  function repeatPrompt(): void {
    if (plain && current !== null) output.write(`${prompt(current, '')}\n`);
  }

  function sayRefused(refused: Refused): void {
    const text = refusedLine(refused);
    if (text === null || text === lastRefused) return;
    lastRefused = text;
    say(text);
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

  function follow(command: SheetCommand, shown: Shown): void {
    if (command.type === 'sheet.askCode') accept('matching');
    if (command.type === 'sheet.accept') accept('accepting');
    if (command.type === 'sheet.retry') shown.triesLeft = command.triesLeft;
    if (command.type === 'sheet.wrongCode') {
      shown.triesLeft = command.triesLeft;
      repeatPrompt();
      redraw();
    }
    if (command.type === 'sheet.pinning') {
      shown.pin = command.pin;
      if (plain) output.write(`  ${command.pin ? 'will' : 'will not'} remember this host\n`);
      redraw();
    }
    if (command.type === 'sheet.count') {
      const { equal, waiting } = command;
      shown.sheet = { ...shown.sheet, equal, waiting };
      redraw();
    }
    if (command.type === 'sheet.verifying') change('verifying');
    if (command.type === 'sheet.close') close(command.outcome);
  }

  const screen: Screen = {
    open: (to) => void (report = to),
    obey(command) {
      if (command.type === 'sheet.show') {
        const { type: _, ...sheet } = command;
        show(sheet);
        // Where the page approves, its person has seen nothing before the page shows it.
        if (current!.approvedAt !== 'page') report?.({ type: 'sheet.shown', ref: sheet.ref });
      } else if (command.type === 'sheet.refused') sayRefused(command);
      else if (command.ref === current?.sheet.ref) follow(command, current);
    },
    close() {
      close('withdrawn');
      report = null;
    },
  };

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
    screen,
    actor: onScreens([screen]),
    /** Leaves the terminal as it was. */
    restore(): void {
      close(null);
      input.off('data', feed);
      if (raw) input.setRawMode(false);
      input.pause();
    },
  };
}
