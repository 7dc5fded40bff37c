import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import type { ApprovedAt } from '../../app/phone/sheet-prompt.ts';
import { closingLine, refusedLine, sheetLines } from '../../app/phone/sheet-words.ts';
import { createTerminalSheet } from '../../app/phone/terminal-sheet.ts';
import { fold } from '../../app/terminal/fold.ts';
import { failures } from '../../machines/failures.ts';
import type { Badge } from '../../machines/phone/destination.ts';
import type { Refused, Sheet, SheetCommand, SheetFact } from '../../machines/phone/ports.ts';
import type { SignerFailure } from '../../machines/ports.ts';
import { runPort } from '../support/link-rig.ts';

const sheet: Sheet = {
  ref: 'device/request',
  deviceName: 'Headset',
  host: 'server.example',
  port: 22,
  badge: { badge: 'notProven', why: 'noBind' },
  hops: [],
  user: 'deploy',
  label: 'work',
  fingerprint: `SHA256:${'A'.repeat(43)}`,
  kind: 'publickey',
  detail: null,
  ttl: 10_000,
  code: '42',
  canPin: false,
  equal: 1,
  waiting: 0,
};

/** A pipe from another process: what it brings waits in the kernel while this one is busy. */
let keyboard: ChildProcessByStdio<Writable, Readable, null>;

afterEach(() => void keyboard?.kill());

function pipedKeyboard(): Readable {
  keyboard = spawn('cat', [], { stdio: ['pipe', 'pipe', 'inherit'] });
  return keyboard.stdout;
}

/** `plain`: nothing is redrawn. Otherwise the output is 100 columns wide. */
function aSheet(
  plain = true,
  input: Readable = pipedKeyboard(),
  approvedAt: ApprovedAt = 'terminal',
) {
  const output = Object.assign(new PassThrough(), { columns: 100 });
  const terminal = createTerminalSheet({
    input: input as unknown as NodeJS.ReadStream,
    output: output as unknown as NodeJS.WriteStream,
    plain,
    isAwake: () => true,
    approvedAt: () => approvedAt,
    onInterrupt: () => {},
  });
  const running = runPort<SheetCommand, SheetFact, undefined>(terminal.actor, undefined);
  let said = '';
  output.on('data', (chunk: Buffer) => {
    said += String(chunk);
  });
  let read = 0;
  /** Waits for this text behind the last one awaited. */
  const says = async (text: string) => {
    while (!said.includes(text, read)) await once(output, 'data');
    read = said.indexOf(text, read) + text.length;
  };
  /** What is on the screen since the last redraw. */
  const drawn = () => said.slice(said.lastIndexOf('\x1b[J') + 1);
  const { takePassphrase } = terminal;
  return { ...running, says, said: () => said, drawn, takePassphrase };
}

/** Each line that is typed is read before the next. */
function aSheetUnderFingers(plain = true, approvedAt: ApprovedAt = 'terminal') {
  const input = new PassThrough();
  const type = (...lines: string[]) => lines.forEach((line) => input.write(`${line}\n`));
  return { ...aSheet(plain, input, approvedAt), input, type };
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

  test.each([
    ['page', 'approve it on the phone', []],
    ['noPage', 'only the phone’s page can approve it: signer start --web', ['sheet.shown']],
    ['otherPage', 'its passkey belongs to the page of another name', ['sheet.shown']],
  ] as const)(
    'that is not approved here (%s) says so, and can be denied',
    async (at, words, shown) => {
      const { send, says, facts, takePassphrase, type, stop } = aSheetUnderFingers(true, at);
      const { ref } = sheet;
      send({ type: 'sheet.show', ...sheet });
      send({ type: 'sheet.accept', ref });
      await says(words);
      type('a passphrase', 'd');
      // Where the page approves, its person has seen nothing yet.
      expect(facts.map((fact) => fact.type)).toEqual([...shown, 'user.deny']);
      expect(takePassphrase(ref)).toBeNull();
      stop();
    },
  );

  describe('that asks for the code of the headset', () => {
    const { ref } = sheet;
    const unproven: Sheet = { ...sheet, code: null };

    test('takes two digits and nothing else: a passphrase typed there goes nowhere', async () => {
      const { send, says, facts, said, takePassphrase, type, stop } = aSheetUnderFingers();
      send({ type: 'sheet.show', ...unproven });
      send({ type: 'sheet.askCode', ref });
      await says('  type the code that Headset shows, d + Enter denies: \n');
      type('correct horse', '4', '421', ' 42', 'p', '', '42', 'd');
      expect(facts).toEqual([
        { type: 'sheet.shown', ref },
        { type: 'user.code', ref, code: '42' },
        { type: 'user.deny', ref },
      ]);
      expect(takePassphrase(ref)).toBeNull();
      expect(said()).not.toContain('horse');
      stop();
    });

    test('says how many tries are left, and asks for the passphrase after the right code', async () => {
      const { send, says, facts, until, takePassphrase, type, stop } = aSheetUnderFingers();
      send({ type: 'sheet.show', ...unproven });
      send({ type: 'sheet.askCode', ref });
      await says('type the code');
      type('41');
      await until('user.code');
      send({ type: 'sheet.wrongCode', ref, triesLeft: 2 });
      await says(
        '  wrong code, 2 tries left. type the code that Headset shows, d + Enter denies: ',
      );
      send({ type: 'sheet.wrongCode', ref, triesLeft: 1 });
      await says('  wrong code, 1 try left. type the code');
      send({ type: 'sheet.accept', ref });
      await says('\n  passphrase + Enter approves, d + Enter denies: \n');
      type('correct horse');
      await until('user.approve');
      expect(takePassphrase(ref)?.toString()).toBe('correct horse');
      expect(takePassphrase(ref)).toBeNull();
      expect(facts.map(({ type }) => type)).toEqual(['sheet.shown', 'user.code', 'user.approve']);
      stop();
    });

    test('takes nothing for a passphrase that was typed while it asked for the code', async () => {
      const { send, says, facts, until, stop } = aSheet();
      send({ type: 'sheet.show', ...unproven });
      send({ type: 'sheet.askCode', ref });
      await says('type the code');
      keyboard.stdin.write('correct ho');
      setTimeout(() => send({ type: 'sheet.accept', ref }), 1);
      holdUpThisProcess(200);
      await says('approves');
      keyboard.stdin.write('d\n');
      await until('user.deny');
      expect(facts.map(({ type }) => type)).toEqual(['sheet.shown', 'user.deny']);
      stop();
    });

    test('throws half a line away when it goes on to the passphrase', async () => {
      const { send, says, facts, input, type, stop } = aSheetUnderFingers();
      send({ type: 'sheet.show', ...unproven });
      send({ type: 'sheet.askCode', ref });
      await says('type the code');
      input.write('correct ho');
      send({ type: 'sheet.accept', ref });
      await says('approves');
      type('d');
      expect(facts.map(({ type }) => type)).toEqual(['sheet.shown', 'user.deny']);
      stop();
    });

    test('redraws the digits as dots', async () => {
      const { send, says, said, input, stop } = aSheetUnderFingers(false);
      send({ type: 'sheet.show', ...unproven });
      send({ type: 'sheet.askCode', ref });
      await says('denies: \n');
      input.write('42');
      await says('denies: ••\n');
      expect(said()).not.toContain('42');
      stop();
    });
  });

  describe('that offers to remember the host', () => {
    const { ref } = sheet;
    const offering: Sheet = { ...sheet, canPin: true };

    test('takes a p for that, and another one back', async () => {
      const { send, says, facts, until, type, stop } = aSheetUnderFingers();
      send({ type: 'sheet.show', ...offering });
      await says('  pin   no  (p + Enter: remember this host as server.example)\n');
      send({ type: 'sheet.accept', ref });
      await says('approves');
      type('p');
      expect(await until('user.pin')).toEqual({ type: 'user.pin', ref, pin: true });
      send({ type: 'sheet.pinning', ref, pin: true });
      await says('  will remember this host\n');
      type('P', 'd');
      send({ type: 'sheet.pinning', ref, pin: false });
      await says('  will not remember this host\n');
      expect(facts).toEqual([
        { type: 'sheet.shown', ref },
        { type: 'user.pin', ref, pin: true },
        { type: 'user.pin', ref, pin: false },
        { type: 'user.deny', ref },
      ]);
      stop();
    });

    test('redraws what an approval will do', async () => {
      const { send, says, drawn, stop } = aSheet(false);
      send({ type: 'sheet.show', ...offering });
      send({ type: 'sheet.accept', ref });
      await says('approves');
      send({ type: 'sheet.pinning', ref, pin: true });
      expect(drawn()).toContain(
        '  pin   yes, remember this host as server.example  (p + Enter: no)',
      );
      stop();
    });

    test('is no passphrase where it is not offered', async () => {
      const { send, says, facts, takePassphrase, type, stop } = aSheetUnderFingers();
      send({ type: 'sheet.show', ...sheet });
      send({ type: 'sheet.accept', ref });
      await says('approves');
      type('p', 'd');
      expect(facts.map(({ type }) => type)).toEqual(['sheet.shown', 'user.deny']);
      expect(takePassphrase(ref)).toBeNull();
      stop();
    });
  });

  test('counts equal and other requests while it is on the screen', async () => {
    const { ref } = sheet;
    const { send, drawn, stop } = aSheet(false);
    send({ type: 'sheet.show', ...sheet });
    expect(drawn()).toMatch(/SSH Sign Request\n/);
    send({ type: 'sheet.count', ref, equal: 3, waiting: 2 });
    expect(drawn()).toMatch(/^.*SSH Sign Request {2}×3\n[^]*\n {2}\d+ s left, 2 more waiting\n/);
    send({ type: 'sheet.count', ref, equal: 1, waiting: 0 });
    expect(drawn()).toMatch(/SSH Sign Request\n[^]*\n {2}\d+ s left\n/);
    stop();
  });

  test('that is redrawn leaves the screen with its end', async () => {
    const { ref } = sheet;
    const { send, drawn, stop } = aSheet(false);
    send({ type: 'sheet.show', ...sheet });
    send({ type: 'sheet.close', ref, outcome: 'denied' });
    expect(drawn()).toBe('[Jdeploy@server.example from Headset: denied; nothing was signed\n');
    stop();
  });

  test('says once what was refused without a sheet, until there is another', async () => {
    const { send, said, stop } = aSheet();
    const refused: Refused = {
      ref: 'device/refused',
      deviceName: 'Headset',
      host: 'server.example',
      user: 'deploy',
      kind: 'publickey',
      reason: 'coolingDown',
    };
    const lines = () => said().split('the last two requests were ignored there').length - 1;
    send({ type: 'sheet.refused', ...refused });
    send({ type: 'sheet.refused', ...refused, ref: 'device/refused-too' });
    expect(lines()).toBe(1);
    send({ type: 'sheet.show', ...sheet });
    send({ type: 'sheet.refused', ...refused });
    expect(lines()).toBe(2);
    stop();
  });
});

const rowsOf = (changes: Partial<Sheet>, columns: number) =>
  sheetLines({ ...sheet, ...changes }, 10, false).flatMap((line) => fold(line, columns, '⋯ '));
const other = `SHA256:${'B'.repeat(43)}`;
const third = `SHA256:${'C'.repeat(43)}`;
const day = Date.UTC(2026, 0, 2, 12);
const said = '  (said by Headset)';
const beginning = (word: string) => new RegExp(`^ *${word} `);

describe('the words of a sheet', () => {
  test.each([
    ['a host', { host: `${'x'.repeat(56)} user  root` }, 'user', 80],
    ['a host', { host: `${'x'.repeat(16)} user  root` }, 'user', 40],
    ['a user', { user: `${'x'.repeat(30)} key  other` }, 'key', 40],
    ['a namespace', { detail: `namespace ${'x'.repeat(60)} user  root` }, 'user', 80],
  ] as const)('are not forged by %s whose end is folded: %o', (_what, changes, word, columns) => {
    const rows = rowsOf(changes, columns);
    expect(rows.length).toBeGreaterThan(sheetLines({ ...sheet, ...changes }, 10, false).length);
    expect(rows.filter((row) => beginning(word).test(row))).toHaveLength(1);
  });

  test('say that a signature is no login', () => {
    const signature: Sheet = {
      ...sheet,
      kind: 'sshsig',
      host: '',
      user: '',
      badge: { badge: 'signature' },
      detail: 'namespace git',
    };
    expect(sheetLines(signature, 10, false)).toEqual([
      'SSH Sign Request',
      '  From Headset',
      '  for   a signature on data that nobody sees here; this is no login',
      `  key   work  ${sheet.fingerprint}`,
      '  also  namespace git',
      '  code  42  (the same as on Headset)',
      '  10 s left',
    ]);
    expect(closingLine(signature, 'signed')).toBe('a signature from Headset: signed');
  });

  test.each<[Badge, string | null, string]>([
    [
      {
        badge: 'known',
        name: 'server.example',
        since: day,
        isCertified: false,
        fingerprint: other,
      },
      'server.example, known since 2026-01-02',
      '',
    ],
    [
      { badge: 'known', name: 'server.example', since: day, isCertified: true, fingerprint: other },
      'server.example, known since 2026-01-02, by its certificate',
      '',
    ],
    [
      { badge: 'known', name: '', since: day, isCertified: false, fingerprint: other },
      `the host with the key ${other}, known since 2026-01-02`,
      '',
    ],
    [
      { badge: 'knownAs', name: 'web', since: day, fingerprint: other },
      'Known as web since 2026-01-02, asked for as server.example',
      said,
    ],
    [
      { badge: 'knownAs', name: '', since: day, fingerprint: other },
      `Known as ${other} since 2026-01-02, asked for as server.example`,
      said,
    ],
    [{ badge: 'newHost', fingerprint: other }, `New host: ${other} was never seen here`, said],
    [
      { badge: 'newKeyType', fingerprint: other },
      `New key type: ${other} was never seen here, other keys of that name were`,
      said,
    ],
    [
      { badge: 'vouched', name: 'web', fingerprint: other },
      'Vouched for by web, which may pass it on to another host',
      said,
    ],
    [
      { badge: 'vouched', name: null, fingerprint: other },
      `Vouched for by ${other}, which may pass it on to another host`,
      said,
    ],
    [
      { badge: 'changed', name: 'server.example', known: third, fingerprint: other },
      `CHANGED: server.example had the key ${third}`,
      said,
    ],
    ...(
      [
        ['noBind', 'the program that asks shows no proof of where this goes'],
        ['unsupportedHostKey', 'the server has a host key that cannot be checked here'],
        ['expired', 'the certificate of the host has expired'],
        ['notYetValid', 'the certificate of the host is not valid yet'],
        ['otherHost', 'the certificate of the host is for another one'],
        ['userCertificate', 'the certificate of the host is one for users'],
        ['criticalOptions', 'the certificate of the host has options that are unknown here'],
        ['badSignature', 'the certificate of the host is not signed by its authority'],
      ] as const
    ).map(([why, words]): [Badge, string, string] => [
      { badge: 'notProven', why },
      `Not proven: ${words}`,
      said,
    ]),
    [{ badge: 'signature' }, null, said],
  ])('say what is known of the destination: %o', (badge, words, saidBy) => {
    expect(sheetLines({ ...sheet, badge }, 10, false)).toEqual([
      'SSH Sign Request',
      `  From Headset → server.example${saidBy}`,
      ...(words === null ? [] : [`  to    ${words}`]),
      '  user  deploy',
      `  key   work  ${sheet.fingerprint}`,
      '  code  42  (the same as on Headset)',
      '  10 s left',
    ]);
  });

  test('say that no host was named, and claim nobody’s word for it', () => {
    const [, from] = sheetLines({ ...sheet, host: '' }, 10, false);
    expect(from).toBe('  From Headset → (not named)');
  });

  test('say the way of a forwarded agent, first host first', () => {
    const [, , , via] = sheetLines({ ...sheet, hops: ['jump', other] }, 10, false);
    expect(via).toBe(`  via   jump → ${other}, by agent forwarding`);
  });

  test('leave the code out where it is to be typed', () => {
    const lines = sheetLines({ ...sheet, code: null }, 10, false);
    expect(lines.filter((line) => beginning('code').test(line))).toEqual([]);
  });

  test.each([
    [{}, false, 'no  (p + Enter: remember this host as server.example)'],
    [{}, true, 'yes, remember this host as server.example  (p + Enter: no)'],
    [{ port: 2222 }, false, 'no  (p + Enter: remember this host as server.example:2222)'],
    [{ host: '', port: 0 }, true, 'yes, remember this host by its key  (p + Enter: no)'],
  ])('offer to remember the host: %o %s', (change, pin, words) => {
    const lines = sheetLines({ ...sheet, canPin: true, ...change }, 10, pin);
    expect(lines.at(-2)).toBe(`  pin   ${words}`);
  });

  test('count the requests that are equal, and those behind them', () => {
    const lines = sheetLines({ ...sheet, equal: 3, waiting: 2 }, 10, false);
    expect([lines.at(0), lines.at(-1)]).toEqual([
      'SSH Sign Request  ×3',
      '  10 s left, 2 more waiting',
    ]);
  });

  test('of an end say how many were denied', () => {
    const three: Sheet = { ...sheet, equal: 3 };
    expect(closingLine(three, 'denied')).toBe(
      'deploy@server.example from Headset: all 3 denied; nothing was signed',
    );
    expect(closingLine(three, 'expired')).toBe(
      'deploy@server.example from Headset: expired; nothing was signed',
    );
    expect(closingLine(three, 'failed')).toBe(
      'deploy@server.example from Headset: refused; nothing was signed',
    );
  });

  test('escape what the headset and the host call themselves', () => {
    const evil = 'a\x1b[2J\u202e';
    const badge: Badge = { badge: 'vouched', name: evil, fingerprint: other };
    const changed: Badge = { badge: 'changed', name: evil, known: third, fingerprint: other };
    const foreign: Sheet = { ...sheet, deviceName: evil, host: evil, hops: [evil], badge };
    const lines = [
      ...sheetLines({ ...foreign, canPin: true }, 10, true),
      ...sheetLines({ ...foreign, badge: changed }, 10, true),
      closingLine(foreign, 'denied'),
    ];
    expect(lines.filter((line) => /[\p{Cc}\p{Cf}]/u.test(line))).toEqual([]);
  });
});

describe('the words about a request without a sheet', () => {
  const refused: Omit<Refused, 'reason'> = {
    ref: 'device/request',
    deviceName: 'Headset',
    host: 'server.example',
    user: 'deploy',
    kind: 'publickey',
  };

  test.each<[SignerFailure, string]>([
    ['coolingDown', 'the last two requests were ignored there'],
    ['proofRequired', 'nothing proves where the login goes'],
    ['destinationChanged', 'the host key has CHANGED since the phone learnt it'],
    ['requestUnreadable', 'it could not read what it was asked to sign'],
    ['signingFailed', 'The phone could not sign'],
  ])('say whose it was, where to, and why: %s', (reason, why) => {
    expect(refusedLine({ ...refused, reason })).toBe(
      `deploy@server.example from Headset: refused; nothing was signed (${why})`,
    );
    expect(failures[reason].message).toContain(why);
  });

  test.each<[Partial<Refused>, string]>([
    [{ kind: 'sshsig' }, 'a signature from Headset'],
    [{ kind: null, user: '' }, 'a signature from Headset'],
    [{ host: '' }, 'deploy from Headset'],
    [
      { user: 'a\x1b[2J', deviceName: '\u202e', kind: null },
      String.raw`a\u{001B}[2J@server.example from \u{202E}`,
    ],
  ])('of %o name what is known', (change, words) => {
    expect(refusedLine({ ...refused, reason: 'requestMismatch', ...change })).toBe(
      `${words}: refused; nothing was signed (the request differs from what it claims to be)`,
    );
  });

  test.each<SignerFailure>(['deviceMuted', 'phoneBusy'])(
    'are none where the person has heard enough: %s',
    (reason) => {
      expect(refusedLine({ ...refused, reason })).toBeNull();
    },
  );
});
