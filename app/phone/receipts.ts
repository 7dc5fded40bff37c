/** What the phone keeps of approvals for others to check: projections of its event log. */
import type { EventLog } from '../../adapters/event-log/store.ts';
import type { SigningInput } from '../../machines/phone/ports.ts';
import { readReceipt, type Receipt } from '../../adapters/webauthn/receipt.ts';

export interface KeptReceipt {
  /** Of the request. */
  ref: string;
  /** Of the identity that signed. */
  fingerprint: string;
  at: number;
  receipt: Receipt;
}

const prefix = 'receipt/';

export function keepReceipt(
  log: EventLog,
  { ref, fingerprint, challengeHash }: SigningInput,
  receipt: unknown,
): void {
  log.append(`${prefix}${challengeHash}`, 'any', [
    { type: 'receipt.kept', data: { ref, fingerprint, receipt } },
  ]);
}

/** The SHA-256, hex, of what was signed, of every receipt. */
export const keptReceipts = (log: EventLog): string[] =>
  log.streams(prefix).map((stream) => stream.slice(prefix.length));

/** Oldest first. What is no receipt of this release is left out. */
export function receipts(log: EventLog): KeptReceipt[] {
  return log.streams(prefix).flatMap((stream) =>
    [...log.read(stream)].flatMap(({ data, at }) => {
      const { ref, fingerprint, receipt: json } = data as unknown as KeptReceipt;
      const receipt = readReceipt(json);
      return receipt === null ? [] : [{ ref, fingerprint, at, receipt }];
    }),
  );
}
