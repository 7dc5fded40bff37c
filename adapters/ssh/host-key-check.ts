import { Buffer } from 'node:buffer';
import type { VerifyCallback } from 'ssh2';
import type { SshFailure } from '../../machines/headset/ports.ts';
import { fingerprintOf, keyTypeOf } from './blobs.ts';
import type { Report } from './key-offers.ts';
import { hostKeyName, judge, type KnownHost, type PinnedHostKey } from './known-hosts.ts';
import type { Resolved } from './ssh-config.ts';

export interface HostKeyCheckOptions {
  resolved: Resolved;
  known: KnownHost[];
  pins: PinnedHostKey[];
  pinHostKey: (pinned: PinnedHostKey) => void;
  report: Report;
  fail: (reason: SshFailure, detail: string) => void;
}

export interface HostKeyCheck {
  /**
   * For ssh2's `hostVerifier`. It returns nothing and answers through the callback, because ssh2
   * takes any returned Promise for "yes". Until it answers, the handshake stands still.
   */
  verify: (key: Buffer, answer: VerifyCallback) => void;
  /** The person confirmed the key in question. Without a question, nothing happens. */
  accept: () => void;
  /** For ssh2's `handshake`: the server has proven that it holds the key. */
  proven: () => void;
  /** The server has named its host key. */
  seen: () => boolean;
}

/**
 * Judges the server's host key and, for an unknown one, waits for the person. When the keys of a
 * connection are renewed (RFC 4253 §9) only the very same host key passes.
 */
export function checkHostKey(options: HostKeyCheckOptions): HostKeyCheck {
  const { resolved, known, pins, report, fail } = options;
  let accepted: Buffer | null = null;
  let question: { key: Buffer; answer: VerifyCallback } | null = null;
  let toPin: PinnedHostKey | null = null;
  let seen = false;

  const verify = (blob: Buffer, answer: VerifyCallback): void => {
    if (accepted !== null) {
      answer(accepted.equals(blob));
      return;
    }
    seen = true;
    const key = Buffer.from(blob);
    const seenKey = { fingerprint: fingerprintOf(key), keyType: keyTypeOf(key) ?? '' };
    const judgement = judge(known, pins, key);
    switch (judgement.verdict) {
      case 'known':
        accepted = key;
        report({ type: 'ssh.hostKeyKnown', ...seenKey });
        answer(true);
        return;
      case 'unknown':
        if (resolved.refuseUnknownHostKey) {
          const { fingerprint } = seenKey;
          fail('sshConfigUnusable', `StrictHostKeyChecking, and ${fingerprint} is not known`);
          return;
        }
        question = { key, answer };
        report({ type: 'ssh.hostKeyUnknown', ...seenKey });
        return;
      case 'changed':
        report({ type: 'ssh.hostKeyChanged', ...seenKey, known: judgement.known });
        return;
      case 'revoked':
        report({ type: 'ssh.hostKeyRevoked', ...seenKey });
    }
  };

  return {
    verify,
    accept() {
      if (question === null) return;
      const { key, answer } = question;
      question = null;
      accepted = key;
      toPin = {
        name: hostKeyName(resolved),
        port: resolved.port,
        keyType: keyTypeOf(key) ?? '',
        key: key.toString('base64'),
      };
      answer(true);
    },
    proven() {
      const pinned = toPin;
      toPin = null;
      if (pinned !== null) options.pinHostKey(pinned);
    },
    seen: () => seen,
  };
}
