import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readLoginNotes } from '../../adapters/agent/login-notes.ts';

const hostKeyFingerprint = 'SHA256:oVbnkVG1nPcRnp3vi2maDfA1i1bNNFvk0Rc2aqwNZds';
const otherFingerprint = `SHA256:${'0'.repeat(43)}`;
const wanted = { hostKeyFingerprint, user: 'deploy' };
const asRoot = process.getuid?.() === 0;

let base: string;
let directory: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'login-notes-'));
  directory = join(base, 'notes');
  mkdirSync(directory, { mode: 0o700 });
});
afterEach(() => rmSync(base, { recursive: true }));

interface Fields {
  version?: string;
  pid?: number | string;
  knownAs?: string;
  host?: string;
  port?: string;
  user?: string;
  fingerprint?: string;
  code?: string;
  end?: string;
}

function noteText(fields: Fields = {}): string {
  const lines = [
    fields.version ?? 'vmux-login-note 1',
    fields.pid ?? process.pid,
    fields.knownAs ?? '[192.0.2.7]:2222',
    fields.host ?? 'box',
    fields.port ?? '2222',
    fields.user ?? 'deploy',
    fields.fingerprint ?? hostKeyFingerprint,
    fields.code ?? '07',
    fields.end ?? 'end',
  ];
  return `${lines.join('\n')}\n`;
}

function write(name: string, content: string | Uint8Array = noteText(), mode = 0o600): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

const left = () => readdirSync(directory).toSorted();
/** The notes as they are read that many milliseconds from now. */
const at = (offset: number) => readLoginNotes(directory, () => Date.now() + offset);
const take = () => readLoginNotes(directory).take(wanted);

describe('a login note', () => {
  it('says how the person named the server, once', () => {
    write('1');
    const notes = readLoginNotes(directory);
    expect(notes.take(wanted)).toEqual({
      host: 'box',
      port: 2222,
      user: 'deploy',
      hostKeyFingerprint,
      code: '07',
    });
    expect(left()).toEqual([]);
    expect(notes.take(wanted)).toBe(null);
  });

  it('for another host key or another user attaches nothing and stays', () => {
    write('key', noteText({ fingerprint: otherFingerprint }));
    write('user', noteText({ user: 'root' }));
    expect(take()).toBe(null);
    expect(left()).toEqual(['key', 'user']);
    write('fits');
    expect(take()).toMatchObject({ host: 'box' });
    expect(left()).toEqual(['key', 'user']);
  });

  it('is not chosen among two that fit, whatever they say, and none of them is consumed', () => {
    write('1', noteText({ host: 'box' }));
    write('2', noteText({ host: 'evil' }));
    expect(take()).toBe(null);
    expect(left()).toEqual(['1', '2']);
    write('2', noteText({ host: 'box' }));
    expect(take()).toBe(null);
    expect(left()).toEqual(['1', '2']);
  });

  it('counts only while its ssh runs', () => {
    const ended = spawnSync('true').pid;
    write('1', noteText({ pid: ended }));
    expect(take()).toBe(null);
    write('2', noteText({ host: 'other' }));
    expect(take()).toMatchObject({ host: 'other' });
    expect(left()).toEqual(['1']);
  });

  it('does not count when its process number is another user’s by now', () => {
    write('1');
    vi.spyOn(process, 'kill').mockImplementationOnce(() => {
      throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
    });
    expect(take()).toBe(null);
    expect(take()).toMatchObject({ host: 'box' });
  });

  it('counts for two minutes, and not when it comes from the future', () => {
    write('1');
    expect(at(121_000).take(wanted)).toBe(null);
    expect(at(-121_000).take(wanted)).toBe(null);
    expect(at(119_000).take(wanted)).toMatchObject({ host: 'box' });
  });

  it('may name the server in any characters', () => {
    const host = '-oProxyCommand=$(x) ;"\'\u{202e}😀%h';
    write('1', noteText({ host }));
    expect(take()).toMatchObject({ host });
  });

  it('is nothing when it is cut off anywhere', () => {
    const whole = noteText();
    for (let length = 0; length < whole.length; length += 1) {
      write('1', whole.slice(0, length));
      expect([length, take()]).toEqual([length, null]);
    }
    expect(left()).toEqual(['1']);
  });

  it.each<[string, string | Uint8Array]>([
    ['another version', noteText({ version: 'vmux-login-note 2' })],
    ['a line too many', noteText({ host: 'box\nevil' })],
    ['a line too few', noteText().replace('box\n', '')],
    ['something after its end', `${noteText()}more`],
    ['an empty line after its end', `${noteText()}\n`],
    ['another last line', noteText({ end: 'END' })],
    ['no host', noteText({ host: '' })],
    ['no name for known_hosts', noteText({ knownAs: '' })],
    ['no user', noteText({ user: '' })],
    ['port 0', noteText({ port: '0' })],
    ['port 65536', noteText({ port: '65536' })],
    ['port 022', noteText({ port: '022' })],
    ['port 2e3', noteText({ port: '2e3' })],
    ['process 0', noteText({ pid: 0 })],
    ['process -1', noteText({ pid: -1 })],
    ['process 99999999999', noteText({ pid: '99999999999' })],
    ['a fingerprint in MD5', noteText({ fingerprint: 'MD5:00' })],
    ['a fingerprint with padding', noteText({ fingerprint: `${hostKeyFingerprint}=` })],
    ['ssh’s word for no key yet', noteText({ fingerprint: 'NONE' })],
    ['a code of one digit', noteText({ code: '7' })],
    ['a code of letters', noteText({ code: 'ab' })],
    ['carriage returns', noteText().replaceAll('\n', '\r\n')],
    ['a byte order mark', `\u{feff}${noteText()}`],
    ['malformed UTF-8', Buffer.from(noteText({ host: 'b\u{80}x' }), 'latin1')],
    ['more than 4 KiB', noteText({ host: 'h'.repeat(4096) })],
  ])('is nothing with %s', (_, content) => {
    write('1', content);
    const exact = content.toString().includes(hostKeyFingerprint)
      ? wanted
      : { ...wanted, hostKeyFingerprint: content.toString().split('\n')[6] ?? '' };
    expect(readLoginNotes(directory).take(exact)).toBe(null);
    expect(left()).toEqual(['1']);
  });

  it('may be 4 KiB long', () => {
    const host = 'h'.repeat(4096 - noteText({ host: '' }).length);
    write('1', noteText({ host }));
    expect(take()).toMatchObject({ host });
  });
});

describe('what is not a private file of this user is no note', () => {
  it.each([0o640, 0o604, 0o620, 0o601])('mode %o', (mode) => {
    write('1', noteText(), mode);
    expect(take()).toBe(null);
  });

  it('a symbolic link to one', () => {
    writeFileSync(join(base, 'real'), noteText(), { mode: 0o600 });
    symlinkSync(join(base, 'real'), join(directory, '1'));
    expect(take()).toBe(null);
    expect(left()).toEqual(['1']);
  });

  it('a directory, or a pipe, which is not waited for', () => {
    mkdirSync(join(directory, '1'));
    execFileSync('mkfifo', ['-m', '600', join(directory, '2')]);
    expect(take()).toBe(null);
    expect(left()).toEqual(['1', '2']);
  });

  it.skipIf(!asRoot)(`another user's${asRoot ? '' : ' [skipped: not root]'}`, () => {
    chownSync(write('1'), 65_534, 65_534);
    expect(take()).toBe(null);
  });

  it('one in a directory that others can enter', () => {
    write('1');
    chmodSync(directory, 0o755);
    expect(take()).toBe(null);
    expect(left()).toEqual(['1']);
  });

  it('one behind a symbolic link to its directory', () => {
    write('1');
    symlinkSync(directory, join(base, 'link'));
    expect(readLoginNotes(join(base, 'link')).take(wanted)).toBe(null);
    expect(left()).toEqual(['1']);
  });

  it('and a directory that is missing, or none, has none', () => {
    for (const path of [join(base, 'missing'), write('1'), join(base, 'no\0such')]) {
      const notes = readLoginNotes(path);
      expect(notes.take(wanted)).toBe(null);
      notes.sweep();
    }
    expect(left()).toEqual(['1']);
  });
});

describe('the sweep', () => {
  it('removes notes whose ssh is gone and keeps the others', () => {
    write('gone', noteText({ pid: spawnSync('true').pid }));
    write('running');
    readLoginNotes(directory).sweep();
    expect(left()).toEqual(['running']);
  });

  it('removes whatever is older than two minutes, but follows no link', () => {
    write('old');
    write('half', 'vmux-login-note 1\n');
    write('open to others', noteText(), 0o644);
    const outside = join(base, 'outside');
    writeFileSync(outside, 'precious');
    symlinkSync(outside, join(directory, 'link'));
    linkSync(outside, join(directory, 'hard link'));
    readLoginNotes(directory).sweep();
    expect(left()).toEqual(['half', 'hard link', 'link', 'old', 'open to others']);
    at(121_000).sweep();
    expect(left()).toEqual([]);
    expect(readdirSync(base).toSorted()).toEqual(['notes', 'outside']);
  });
});
