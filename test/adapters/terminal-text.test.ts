import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { displayCells, showForeign, showJson } from '../../app/terminal/foreign-text.ts';
import {
  createPassphraseLine,
  passphraseDots,
  type PassphraseLine,
} from '../../app/terminal/passphrase-line.ts';

describe('foreign text', () => {
  test.each([
    ['plain ASCII', 'deploy@web1.example:22', 'deploy@web1.example:22'],
    ['letters of any language', 'Zoë’s Вижн 日本語 שלום', 'Zoë’s Вижн 日本語 שלום'],
    ['a colour', 'a\x1b[31mb', 'a\\u{001B}[31mb'],
    ['a line that pretends to be another', 'x\r\nApproved', 'x\\u{000D}\\u{000A}Approved'],
    ['a NUL, a DEL and a C1 control', '\0\x7f\x9b', '\\u{0000}\\u{007F}\\u{009B}'],
    ['right-to-left override', 'a\u202Eb', 'a\\u{202E}b'],
    ['bidi isolates and marks', '\u2066\u2069\u200E\u061C', '\\u{2066}\\u{2069}\\u{200E}\\u{061C}'],
    ['zero-width characters', 'a\u200B\u200D\uFEFFb', 'a\\u{200B}\\u{200D}\\u{FEFF}b'],
    ['separators', '\u2028\u2029', '\\u{2028}\\u{2029}'],
    ['spaces that are no space', 'a\u00A0\u3000b', 'a\\u{00A0}\\u{3000}b'],
    ['lone surrogates', 'a\uD800b\uDC00', 'a\\u{D800}b\\u{DC00}'],
    ['tag characters', '\u{E0041}', '\\u{E0041}'],
    ['variation selectors', '☺\uFE0F\u{E0100}', '☺\\u{FE0F}\\u{E0100}'],
    ['private use', '\uE000\u{10FFFD}', '\\u{E000}\\u{10FFFD}'],
    ['fillers that look like nothing', '\u115F\u3164\u2800', '\\u{115F}\\u{3164}\\u{2800}'],
    ['a mark with no letter', '\u0301a', '\\u{0301}a'],
    ['a mark that could change our own signs', '}\u0301', '}\\u{0301}'],
    ['a flood of marks', 'e' + '\u0301'.repeat(5), 'e\u0301\u0301\u0301\\u{0301}\\u{0301}'],
    ['what looks like our own escape', '\\u{202E}', '\\u{005C}u{202E}'],
    ['a backslash', 'DOMAIN\\user', 'DOMAIN\\user'],
  ])('%s', (_what, text, shown) => {
    expect(showForeign(text, 200)).toBe(shown);
  });

  test('in JSON gives the same value back, and nothing a terminal obeys', () => {
    const value = [
      { name: 'a\x9b2Jb\u202Ec\u200B\u{E0041}\uD800', 'k\x1bey': ['\n', 'Zoë 日本語', 1, null] },
    ];
    for (const indent of [undefined, 2]) {
      const shown = showJson(value, indent);
      expect(JSON.parse(shown)).toEqual(value);
      expect(shown.replaceAll('\n', '')).not.toMatch(/[\p{C}\u200B]/u);
      expect(shown).toContain('Zoë 日本語');
    }
    expect(showJson(value, 2).split('\n')).toHaveLength(
      JSON.stringify(value, null, 2).split('\n').length,
    );
  });

  test('is cut to 64 cells, or to what is given, and says so', () => {
    expect(showForeign('x'.repeat(64))).toBe('x'.repeat(64));
    expect(showForeign('x'.repeat(65))).toBe('x'.repeat(62) + '…');
    expect(showForeign('日'.repeat(9), 10)).toBe('日'.repeat(4) + '…');
    expect(showForeign('ab\u202Ecd', 10)).toBe('ab…');
    expect(showForeign('abc', 1)).toBe('');
    expect(showForeign('a', 1)).toBe('a');
    expect(showForeign('', 0)).toBe('');
  });

  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'aé日\u0301\u202E\u200D\uFE0F\x1b\\u{}\u3164 ') }),
    fc
      .array(fc.nat(0xffff))
      .map((units) => units.map((unit) => String.fromCharCode(unit)).join('')),
  );
  const dangerous =
    /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069\u200B-\u200F\u061C\u{E0000}-\u{E0FFF}\u3164]|[\u{FE00}-\u{FE0F}]/u;

  test('never shows a character that moves, reorders or hides, whatever comes', () => {
    fc.assert(
      fc.property(anyText, fc.nat(100), (text, max) => {
        const shown = showForeign(text, max);
        expect(shown).not.toMatch(dangerous);
        expect(shown).not.toMatch(/(?<![\p{L}\p{N}\p{M}])\p{M}|\p{M}{4}/u);
        expect(displayCells(shown)).toBeLessThanOrEqual(max);
      }),
      { numRuns: 2000 },
    );
  });

  test('never shows any single character of Unicode that it should not', () => {
    for (let code = 0; code <= 0x10ffff; code += 1) {
      const shown = showForeign(String.fromCodePoint(code));
      if (dangerous.test(shown)) expect.fail(`U+${code.toString(16)} came through`);
    }
  });

  test('that differs is shown differently, unless it is cut', () => {
    fc.assert(
      fc.property(anyText, anyText, (one, other) => {
        fc.pre(one !== other);
        expect(showForeign(one, Infinity)).not.toBe(showForeign(other, Infinity));
      }),
    );
  });
});

describe('the passphrase line', () => {
  test.each([
    ['Enter', ['pass', 'word\r'], 'password'],
    ['a line feed', ['password\n'], 'password'],
    ['Enter alone', ['\r'], ''],
    ['Backspace', ['pasx\x7fsword\b\r'], 'passwor'],
    ['Backspace over letters of several bytes', ['pé日🔑\x7f\x7f\r'], 'pé'],
    ['more Backspaces than letters', ['ab\x7f\x7f\x7f\x7fc\r'], 'c'],
    ['Ctrl-U', ['wrong\x15right\r'], 'right'],
    [
      'letters torn between chunks',
      [
        [0xf0, 0x9f],
        [0x94, 0x91, 0x0d],
      ],
      '🔑',
    ],
    ['arrow, function and Alt keys', ['a\x1b[Ab\x1bOPc\x1b[1;5Dd\x1bxe\r'], 'abcde'],
    ['a key torn after its bracket', ['a\x1b[', '1;5', 'Db\r'], 'ab'],
    ['a key torn by another', ['a\x1b[1', '\x1b[Ab\r'], 'ab'],
    ['Tab and other controls', ['a\tb\x01\x04c\r'], 'abc'],
    ['a paste', ['\x1b[200~pass word\x1b[201~\r'], 'pass word'],
    ['a paste that ends in a newline', ['\x1b[200~password\n\x1b[201~', '!\r'], 'password!'],
    ['a paste torn anywhere', ['\x1b[20', '0~pa', 'ss\x1b', '[2', '01~word\r'], 'password'],
    ['a paste with escapes in it', ['\x1b[200~a\x1b[20b\x1b\x1b[201~\r'], 'a[20b'],
  ])('%s', (_what, chunks, secret) => {
    expect(afterTyping(...chunks)).toMatchObject({ outcome: 'entered', taken: secret });
  });

  test.each([
    ['Esc', ['pass', '\x1b'], 'cancelled'],
    ['Esc twice at once', ['pass\x1b\x1b'], 'cancelled'],
    ['Esc and Enter at once', ['pass\x1b\r'], 'cancelled'],
    ['Ctrl-C', ['pass\x03word\r'], 'interrupted'],
    ['Ctrl-C in a paste that never ends', ['\x1b[200~pass\r', '\x03'], 'interrupted'],
    ['Ctrl-C in a key that never ends', ['pass\x1b[1', '\x03'], 'interrupted'],
    ['Ctrl-D on an empty line', ['\x04'], 'ended'],
    ['more than fits', ['x'.repeat(33), '\x7f\r'], 'tooLong'],
  ])('%s keeps nothing', (_what, chunks, outcome) => {
    expect(afterTyping(...chunks)).toMatchObject({ outcome, characters: 0, taken: null });
  });

  test('zeroes what it was fed, and leaves what came after the line', () => {
    const line = createPassphraseLine();
    const chunk = Buffer.from('first\rsecond\r');
    expect(line.feed(chunk)).toEqual({ outcome: 'entered', characters: 5, used: 6 });
    expect(chunk.toString()).toBe('\0'.repeat(6) + 'second\r');
    expect(line.feed(chunk.subarray(6)).used).toBe(0);
    expect(taken(line)).toBe('first');
    expect(line.feed(chunk.subarray(6)).outcome).toBe('entered');
    expect(taken(line)).toBe('second');
  });

  test('gives its secret once, and starts anew when cleared', () => {
    const line = createPassphraseLine();
    line.feed(Buffer.from('secret\r'));
    expect(taken(line)).toBe('secret');
    expect(taken(line)).toBeNull();
    line.feed(Buffer.from('other\x1b'));
    expect(line.feed(Buffer.from('more')).used).toBe(0);
    line.clear();
    expect(line.feed(Buffer.from('again')).characters).toBe(5);
    line.clear();
    expect(line.characters).toBe(0);
    line.feed(Buffer.from('\r'));
    expect(taken(line)).toBe('');
  });

  test('never throws and never keeps more than it can, whatever is typed', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 10 }), (chunks) => {
        const line = createPassphraseLine(16);
        for (const chunk of chunks) {
          const { used, characters } = line.feed(chunk);
          expect(used).toBeLessThanOrEqual(chunk.length);
          expect(characters).toBeLessThanOrEqual(16);
          expect(chunk.subarray(0, used).every((byte) => byte === 0)).toBe(true);
          if (used < chunk.length) line.clear();
        }
      }),
    );
  });

  test('shows a dot a character, or nothing, and stops telling at 32', () => {
    expect(passphraseDots(3)).toBe('•••');
    expect(passphraseDots(0)).toBe('');
    expect(passphraseDots(99)).toBe('•'.repeat(32));
  });
});

function taken(line: PassphraseLine): string | null {
  return line.take()?.toString() ?? null;
}

/** A line of 32 bytes at most, after these chunks or as many as it took. */
function afterTyping(...chunks: (string | number[])[]) {
  const line = createPassphraseLine(32);
  let state = line.feed(Buffer.alloc(0));
  for (const chunk of chunks) {
    state = line.feed(Buffer.from(chunk as string));
    if (state.outcome !== 'typing') break;
  }
  return { outcome: state.outcome, characters: state.characters, taken: taken(line) };
}
