import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { closingLine, sheetLines } from '../../app/phone/sheet-words.ts';
import { createTerminalSheet } from '../../app/phone/terminal-sheet.ts';
import { fold } from '../../app/terminal/fold.ts';
import type { Sheet, SheetCommand, SheetFact } from '../../machines/phone/ports.ts';
import { runPort } from '../support/link-rig.ts';

const sheet: Sheet = {
  ref: 'device/request',
  deviceName: 'Headset',
  host: 'server.example',
  user: 'deploy',
  label: 'work',
  fingerprint: `SHA256:${'A'.repeat(43)}`,
  kind: 'publickey',
  detail: null,
  ttl: 10_000,
  waiting: 0,
};

/** A pipe from another process: what it brings waits in the kernel while this one is busy. */
let keyboard: ChildProcessByStdio<Writable, Readable, null>;

afterEach(() => void keyboard?.kill());

function aSheet() {
  keyboard = spawn('cat', [], { stdio: ['pipe', 'pipe', 'inherit'] });
  const output = new PassThrough();
  const terminal = createTerminalSheet({
    input: keyboard.stdout as unknown as NodeJS.ReadStream,
    output: output as unknown as NodeJS.WriteStream,
    plain: true,
    isAwake: () => true,
    onInterrupt: () => {},
  });
  const running = runPort<SheetCommand, SheetFact, undefined>(terminal.actor, undefined);
  let said = '';
  output.on('data', (chunk: Buffer) => {
    said += String(chunk);
  });
  const says = async (text: string) => {
    while (!said.includes(text)) await once(output, 'data');
  };
  return { ...running, says };
}

function holdUpThisProcess(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

describe('the sheet at the terminal', () => {
  test('takes nothing that was typed before it accepts, although the process read it later', async () => {
    const { send, says, facts, until, stop } = aSheet();
    send({ type: 'sheet.show', ...sheet });
    keyboard.stdin.write('typed for another sheet\n');
    // As in the program: a clock that ran out meanwhile is served before what was typed.
    setTimeout(() => send({ type: 'sheet.accept', ref: sheet.ref }), 1);
    holdUpThisProcess(400);
    await says('approves');
    keyboard.stdin.write('d\n');
    await until('user.deny');
    expect(facts.map(({ type }) => type)).toEqual(['sheet.shown', 'user.deny']);
    stop();
  });

  test('takes another passphrase after a wrong one', async () => {
    const { send, says, facts, until, stop } = aSheet();
    const { ref } = sheet;
    send({ type: 'sheet.show', ...sheet });
    send({ type: 'sheet.accept', ref });
    await says('approves');
    keyboard.stdin.write('wrong\n');
    await until('user.approve');
    send({ type: 'sheet.verifying', ref });
    send({ type: 'sheet.retry', ref, triesLeft: 2 });
    send({ type: 'sheet.accept', ref });
    await says('wrong passphrase, 2 tries left');
    keyboard.stdin.write('right\n');
    while (facts.filter(({ type }) => type === 'user.approve').length < 2) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    stop();
  });

  test('that was closed before it accepts takes nothing', async () => {
    const { send, says, facts, until, stop } = aSheet();
    send({ type: 'sheet.show', ...sheet });
    send({ type: 'sheet.accept', ref: sheet.ref });
    send({ type: 'sheet.close', ref: sheet.ref, outcome: 'withdrawn' });
    send({ type: 'sheet.show', ...sheet, ref: 'device/next' });
    await new Promise((resolve) => setImmediate(resolve));
    keyboard.stdin.write('typed for another sheet\n');
    holdUpThisProcess(200);
    await new Promise((resolve) => setTimeout(resolve, 50));
    send({ type: 'sheet.accept', ref: 'device/next' });
    await says('approves');
    keyboard.stdin.write('d\n');
    expect(await until('user.deny')).toMatchObject({ ref: 'device/next' });
    expect(facts.map(({ type }) => type)).toEqual(['sheet.shown', 'sheet.shown', 'user.deny']);
    stop();
  });
});

const rowsOf = (changes: Partial<Sheet>, columns: number) =>
  sheetLines({ ...sheet, ...changes }, 10).flatMap((line) => fold(line, columns, '⋯ '));
const beginning = (word: string) => new RegExp(`^ *${word} `);

describe('the words of a sheet', () => {
  test.each([
    ['a host', { host: `${'x'.repeat(56)} user  root` }, 'user', 80],
    ['a host', { host: `${'x'.repeat(16)} user  root` }, 'user', 40],
    ['a user', { user: `${'x'.repeat(30)} key  other` }, 'key', 40],
    ['a namespace', { detail: `namespace ${'x'.repeat(60)} user  root` }, 'user', 80],
  ] as const)('are not forged by %s whose end is folded: %o', (_what, changes, word, columns) => {
    const rows = rowsOf(changes, columns);
    expect(rows.length).toBeGreaterThan(sheetLines({ ...sheet, ...changes }, 10).length);
    expect(rows.filter((row) => beginning(word).test(row))).toHaveLength(1);
  });

  test('say that a signature is no login', () => {
    const signature = { ...sheet, kind: 'sshsig', user: '', detail: 'namespace git' } as const;
    expect(sheetLines(signature, 10)).toEqual([
      'SSH Sign Request',
      '  From Headset → server.example  (said by Headset)',
      '  for   a signature on data that nobody sees here; this is no login',
      `  key   work  ${sheet.fingerprint}`,
      '  also  namespace git',
      '  10 s left',
    ]);
    expect(closingLine(signature, 'signed')).toBe('a signature from Headset: signed');
  });
});
