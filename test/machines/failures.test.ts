import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { failures, type Failure } from '../../machines/failures.ts';

const root = join(import.meta.dirname, '../..');
const told: [string, Failure][] = Object.entries(failures);

/** Everything that can name a reason: charts, ports, adapters and programs. */
const sources = globSync('{machines,adapters,app}/**/*.{ts,tsx}', { cwd: root })
  .filter((file) => !/machines.(failures|phone-answers)\.ts$/.test(file))
  .map((file) => readFileSync(join(root, file), 'utf8'))
  .join('\n');

describe('every reason that a person can meet', () => {
  it.each(told)('%s has a message and a hint, each whole sentences', (_, { message, hint }) => {
    expect(message).toMatch(/^[A-Z].*(\.|\(publickey\))$/);
    expect(hint).toMatch(/^[A-Z].*\.$|^known_hosts .*\.$/);
    expect(`${message}${hint}`).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it.each(told)('%s can be met: a chart, a port or a program names it', (reason) => {
    expect(sources).toMatch(new RegExp(`(['.])${reason}\\b`));
  });

  it('is told from every other by its words', () => {
    const words = told.map(([, { message, hint }]) => `${message} ${hint}`);
    expect(new Set(words).size).toBe(words.length);
  });

  it.each([
    'peerNotFound',
    'peerUnreachable',
    'noIdentity',
    'notPresented',
    'notApproved',
    'linkLost',
    'queuedTooLong',
    'noPhonePaired',
    'phoneForgotHeadset',
    'unknownPhone',
    'updateVmux',
    'updateSigner',
  ] as const)('%s, a missing signer, has the words of the page', (reason) => {
    expect(failures[reason].message).toBe('No iPhone signer found.');
  });
});
