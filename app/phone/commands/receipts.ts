import { readFileSync } from 'node:fs';
import { checkReceipt, readReceipt } from '../../../adapters/webauthn/receipt.ts';
import { expectArguments, parse, type Command } from '../../command-line.ts';
import { openLog } from '../../running.ts';
import { showForeign, showJson } from '../../terminal/foreign-text.ts';
import { WrongUsage } from '../../trouble.ts';
import { identities } from '../records.ts';
import { receipts } from '../receipts.ts';

export const command: Command = {
  usage: '[list [--json] | check FILE]',
  summary: 'what shows others that somebody was verified for a login',
  help: `  signer receipts list [--json]     one for each signature that the phone's page approved
  signer receipts check FILE        checks what list --json printed, here or on any machine

A receipt is what the passkey signed with its owner verified. It names the login by the SHA-256 of
the bytes that were signed; who has those, as the server and the headset do, can hold them against
it. check says which passkey it was, not whose.`,
  run,
};

/** Bytes of a file that are read. */
const LARGEST = 16 * 1024 * 1024;

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, { json: { type: 'boolean', default: false } });
  const [action = 'list', file = ''] = positionals;
  if (action === 'list') {
    expectArguments(positionals, 0, 1);
    return list(values.json);
  }
  if (action !== 'check') throw new WrongUsage(`unknown action: ${showForeign(action)}`);
  expectArguments(positionals, 2);
  return check(file);
}

function list(json: boolean): number {
  const log = openLog('signer');
  const kept = receipts(log);
  const labels = new Map(identities(log).map(({ fingerprint, label }) => [fingerprint, label]));
  log.close();
  if (json) process.stdout.write(`${showJson(kept, 2)}\n`);
  else if (kept.length === 0) process.stdout.write('no receipt yet\n');
  for (const { at, fingerprint, receipt } of json ? [] : kept) {
    const when = new Date(at).toISOString();
    const label = showForeign(labels.get(fingerprint) ?? '(removed)');
    process.stdout.write(`${when}  ${label}  ${fingerprint}  ${receipt.challengeHash}\n`);
  }
  return 0;
}

/** Exit status 1 when one of them does not hold. */
function check(path: string): number {
  const kept = listIn(path);
  let failed = 0;
  for (const [index, one] of kept.entries()) {
    const json = typeof one === 'object' && one !== null && 'receipt' in one ? one.receipt : one;
    const receipt = readReceipt(json);
    const verdict = receipt === null ? null : checkReceipt(receipt);
    if (verdict?.ok) process.stdout.write(`holds  ${receipt?.challengeHash}\n`);
    else {
      failed += 1;
      const why = verdict === null ? 'no receipt' : verdict.why;
      process.stdout.write(
        `FAILS  ${receipt?.challengeHash ?? `the ${index + 1}. entry`}  ${why}\n`,
      );
    }
  }
  process.stdout.write(`${kept.length - failed} hold, ${failed} fail\n`);
  return failed === 0 ? 0 : 1;
}

/** @throws {WrongUsage} */
function listIn(path: string): unknown[] {
  try {
    const text = readFileSync(path, 'utf8');
    if (text.length > LARGEST) throw new WrongUsage('that file is too long');
    const json: unknown = JSON.parse(text);
    return Array.isArray(json) ? json : [json];
  } catch (error) {
    if (error instanceof SyntaxError) throw new WrongUsage('that file is not JSON');
    if (error instanceof Error && 'code' in error) throw new WrongUsage(error.message);
    throw error;
  }
}
