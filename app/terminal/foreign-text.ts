/**
 * Foreign text on a person's screen: user, host, label, namespace, device name, banner. Whatever
 * could move the cursor, reorder or hide its neighbours, or look like nothing, is spelled out.
 */

/**
 * Never shown as itself: everything Unicode calls "other" (controls, format, surrogates, private
 * use, unassigned), line and paragraph separators, every space but U+0020, what renderers may
 * ignore (variation selectors, tags, fillers, joiners), and two symbols that are drawn blank.
 */
const hidden = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u{2800}\u{FFFC}]|(?! )\p{Zs}/u;
/** The same in JSON, whose strings hold no line break of their own. */
const hiddenInJson = new RegExp(`(?!\\n)(?:${hidden.source})`, 'gu');
const mark = /\p{M}/u;
const letter = /[\p{L}\p{N}]/u;

/**
 * Marks that one letter or digit may carry, and nothing else any: enough for written languages, too
 * few to climb the screen.
 */
const marksPerLetter = 3;

const ellipsis = '…';

/**
 * Cells that `text` may take on a terminal, never too few: ASCII one, everything else two, since
 * terminals differ on combining marks and on East Asian ambiguous width (UAX #11).
 */
export function displayCells(text: string): number {
  let cells = 0;
  for (const character of text) cells += character <= '\x7f' ? 1 : 2;
  return cells;
}

/**
 * `text` fit to be printed: hidden characters as `\u{XXXX}`, cut to at most `max` display cells
 * with `…` at the end. Distinct texts that are not cut stay distinct, since a backslash before
 * `u{` is spelled out too. Right-to-left letters stay as they are: set them apart by layout.
 */
export function showForeign(text: string, max = 64): string {
  let shown = '';
  let cells = 0;
  let fitting = '';
  let marks = marksPerLetter;
  let at = 0;
  for (const character of text) {
    at += character.length;
    let piece = character;
    if (hidden.test(character) || (character === '\\' && text.startsWith('u{', at))) {
      piece = spelledOut(character);
      marks = marksPerLetter;
    } else if (mark.test(character)) {
      if (marks >= marksPerLetter) piece = spelledOut(character);
      else marks += 1;
    } else {
      marks = letter.test(character) ? 0 : marksPerLetter;
    }
    shown += piece;
    cells += displayCells(piece);
    if (cells > max) return max < 2 ? '' : fitting + ellipsis;
    if (cells <= max - displayCells(ellipsis)) fitting = shown;
  }
  return shown;
}

/**
 * JSON of `value` for standard output: the same value to a program, and harmless on a terminal.
 * `indent` as for `JSON.stringify`.
 */
export function showJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, null, indent);
  return json.replace(hiddenInJson, (character) => Array.from(utf16(character), escaped).join(''));
}

function* utf16(text: string): Generator<number> {
  for (let i = 0; i < text.length; i += 1) yield text.charCodeAt(i);
}

const escaped = (unit: number) => `\\u${unit.toString(16).padStart(4, '0')}`;

function spelledOut(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `\\u{${code.toString(16).toUpperCase().padStart(4, '0')}}`;
}
