/** What the person can do about a sheet, and the words when they cannot approve it. */
import type { ShownSheet } from './port.ts';

/** All that makes a sheet this one: a change of it has to be read before a tap counts. */
export const whatOf = ({ sheet }: ShownSheet) =>
  `${sheet.ref}\n${sheet.bytes}\n${sheet.badge.badge}`;

/** Why there is nothing to approve; `null`: there is. Foreign text in it is `rpId` only. */
export type Obstacle =
  | { why: 'mismatch' | 'unreadable' | 'changed' | 'terminal' | 'noWebAuthn' }
  | { why: 'otherPage'; rpId: string };

export function obstacleOf(shown: ShownSheet, hasWebAuthn: boolean): Obstacle | null {
  const { sheet, read, isMismatch } = shown;
  if (isMismatch) return { why: 'mismatch' };
  if (read === null) return { why: 'unreadable' };
  if (sheet.badge.badge === 'changed') return { why: 'changed' };
  if (sheet.approval.by === 'terminal') return { why: 'terminal' };
  if (sheet.approval.by === 'otherPage') return { why: 'otherPage', rpId: sheet.approval.rpId };
  return hasWebAuthn ? null : { why: 'noWebAuthn' };
}

/** Red: somebody may be up to something. */
export const isAlarming = ({ why }: Obstacle) =>
  why === 'mismatch' || why === 'unreadable' || why === 'changed';

/** `now`: `performance.now()`. */
export const canApprove = (shown: ShownSheet, hasWebAuthn: boolean, now: number) =>
  shown.sheet.mode === 'deciding' && now < shown.until && obstacleOf(shown, hasWebAuthn) === null;

export const obstacleWords: Record<Exclude<Obstacle['why'], 'otherPage'>, string> = {
  mismatch:
    'The bytes to be signed say something else than the signer does. Somebody may be deceiving you: deny.',
  unreadable: 'The bytes to be signed are nothing that this page signs. Deny.',
  changed: 'This host showed another key before. Nothing is signed for it. Deny.',
  terminal:
    'This identity is sealed under a passphrase. It is approved in the terminal where signer runs.',
  noWebAuthn: 'This browser has no passkeys (WebAuthn): it cannot approve anything.',
};

export const problemWords: Record<NonNullable<ShownSheet['problem']>, string> = {
  notVerified: 'You were not verified. Nothing was signed; try again or deny.',
  sealedKeyDamaged:
    'The sealed key of this identity could not be opened: it is damaged. Nothing was signed.',
  prfUnavailable:
    'This browser or passkey gave no secret to open the sealed key with. Nothing was signed.',
};
