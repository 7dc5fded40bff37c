/** What the screens may have to show. Times of sheets count from when a scene is shown. */
import type { PageSheet } from '../../adapters/phone-page/protocol.ts';
import type { ActivityRow, PageIdentity, PhoneState } from '../../adapters/phone-page/state.ts';
import type { Abilities, PageSnapshot, ReadBytes, ShownSheet } from '../../app/phone/page/port.ts';

/** Everything in it is JSON. */
export type Scene = PageSnapshot;

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** 26 November 2026, 14:30 UTC. */
export const NOW = Date.UTC(2026, 10, 26, 14, 30);

const keys = {
  passkey: 'SHA256:3mVqkQ0C0Zb1sPZr0m8l9pYc2xX8n4cVb7LJtqT5WgE',
  sealed: 'SHA256:p6Xn0dYw1fR2eKq9sVbT7uJ3hLm5cGz8aQ4iOxU2yWk',
  terminal: 'SHA256:Zk8r2Vt6yHq1Wm9dXn3sLb5cFj7gPa0uEiOoTzRxQyM',
  host: 'SHA256:uNiVztksCsDhcc0u9e8BgrQaVZHgDKXuqNuhwZ6DVY4',
  other: 'SHA256:Q1w2E3r4T5y6U7i8O9p0A1s2D3f4G5h6J7k8L9z0X1c',
} as const;

export const fingerprints = keys;

export const iPhone: Abilities = {
  webAuthn: true,
  prf: true,
  push: true,
  isStandalone: true,
  isAppleTouch: true,
  isPersistent: true,
};

export const desktop: Abilities = { ...iPhone, isStandalone: false, isAppleTouch: false };

export const identity = (change: Partial<PageIdentity> = {}): PageIdentity => ({
  fingerprint: keys.sealed,
  label: 'everyday',
  algorithm: 'ecdsa-sha2-nistp256',
  line: 'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBKc2sQnUq3o8mJf0dJt2m1g8m8m0F2y5nVbq6k3o7rYwq8n1sJv4t9zXb2c7Qe5LrTgUhKoPdS6fYxW0aZiMvE4= everyday',
  enabled: true,
  createdAt: NOW - 40 * DAY,
  place: 'sealedInBrowser',
  isPasskeySynced: true,
  credential: { id: 'AQID', transports: ['internal'], rpId: 'signer-k4xq.local' },
  allowed: [],
  ...change,
});

export const identities: PageIdentity[] = [
  identity(),
  identity({
    fingerprint: keys.passkey,
    label: 'production',
    algorithm: 'sk-ecdsa-sha2-nistp256@openssh.com',
    line: 'verify-required sk-ecdsa-sha2-nistp256@openssh.com AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyNTYAAABBBA9y0Wq3Jm2d8sXc5vBn7mKl1pOi4uYtRe6WqAsDfGhJkLzXcVbNmQwErTyUiOp production',
    place: 'syncedPasskey',
    createdAt: NOW - 12 * DAY,
    allowed: ['deploy@web.example.org', 'root@db.example.org:2222'],
  }),
  identity({
    fingerprint: keys.terminal,
    label: 'old laptop',
    enabled: false,
    place: 'sealedAtSigner',
    isPasskeySynced: false,
    credential: null,
    createdAt: NOW - 200 * DAY,
  }),
];

const row = (ago: number, change: Partial<ActivityRow>): ActivityRow => ({
  ref: `headset/${ago}`,
  at: NOW - ago,
  outcome: 'signed',
  why: null,
  kind: 'hostbound',
  host: 'web.example.org',
  user: 'deploy',
  deviceName: 'Vision Pro',
  label: 'production',
  fingerprint: keys.passkey,
  hasReceipt: true,
  ...change,
});

export const activity: ActivityRow[] = [
  row(4 * MINUTE, {}),
  row(31 * MINUTE, { outcome: 'denied', user: 'root', hasReceipt: false }),
  row(95 * MINUTE, {
    outcome: 'expired',
    host: 'db.example.org',
    hasReceipt: false,
    label: 'everyday',
    why: 'Nobody answered in time.',
  }),
  row(DAY, { kind: 'sshsig', user: '', host: '', label: 'everyday', deviceName: 'ThinkPad' }),
  row(DAY + 3 * MINUTE, { outcome: 'withdrawn', hasReceipt: false, deviceName: 'ThinkPad' }),
  row(DAY + 8 * MINUTE, {
    outcome: 'failed',
    hasReceipt: false,
    host: 'git.example.org',
    why: 'The host showed another key than the one that is known.',
  }),
];

export const state = (change: Partial<PhoneState> = {}): PhoneState => ({
  name: 'signer-k4xq.local',
  origin: 'https://signer-k4xq.local:7443',
  rpId: 'signer-k4xq.local',
  release: '0.1.0',
  now: NOW,
  isLocal: false,
  isPublished: true,
  identities,
  devices: [
    {
      id: 'vision',
      name: 'Vision Pro',
      pairedAt: NOW - 40 * DAY,
      isLinked: true,
      mutedUntil: null,
    },
    {
      id: 'thinkpad',
      name: 'ThinkPad',
      pairedAt: NOW - 12 * DAY,
      isLinked: false,
      mutedUntil: NOW + 50 * MINUTE,
    },
  ],
  browsers: [
    { id: 'this', name: 'iPhone', pairedAt: NOW - 40 * DAY, isThis: true },
    { id: 'other', name: 'Chrome on Linux', pairedAt: NOW - 3 * DAY, isThis: false },
  ],
  policy: { requireProof: false, forwarding: 'listed', listed: ['bastion'], timeLimit: 120 },
  hosts: [
    {
      name: 'web.example.org',
      port: 22,
      keyType: 'ssh-ed25519',
      fingerprint: keys.host,
      since: NOW - 30 * DAY,
    },
    {
      name: 'db.example.org',
      port: 2222,
      keyType: 'ecdsa-sha2-nistp256',
      fingerprint: keys.other,
      since: NOW - 6 * DAY,
    },
  ],
  activity,
  push: { publicKey: 'BPk', isOn: true },
  ...change,
});

export const scene = (change: Partial<Scene> = {}): Scene => ({
  link: 'up',
  wasUnpaired: false,
  state: state(),
  sheet: null,
  ended: null,
  abilities: iPhone,
  ...change,
});

export const hostbound: ReadBytes = {
  kind: 'hostbound',
  user: 'deploy',
  fingerprint: keys.passkey,
  hostKey: keys.host,
  certificate: null,
};

export const sheet = (change: Partial<PageSheet> = {}): PageSheet => ({
  ref: 'vision/1',
  deviceId: 'vision',
  deviceName: 'Vision Pro',
  host: 'web.example.org',
  port: 22,
  badge: {
    badge: 'known',
    name: 'web.example.org',
    since: NOW - 30 * DAY,
    isCertified: false,
    fingerprint: keys.host,
  },
  hops: [],
  user: 'deploy',
  label: 'production',
  fingerprint: keys.passkey,
  kind: 'hostbound',
  detail: null,
  code: '42',
  canPin: false,
  equal: 1,
  waiting: 0,
  left: 24_000,
  total: 30_000,
  bytes: 'AAAA',
  mode: 'deciding',
  triesLeft: null,
  pin: false,
  here: true,
  approval: {
    by: 'passkey',
    credential: { id: 'AQID', transports: ['internal'], rpId: 'signer-k4xq.local' },
  },
  ...change,
});

export const shown = (
  change: Partial<PageSheet> = {},
  more: Partial<Omit<ShownSheet, 'sheet'>> = {},
): ShownSheet => ({
  sheet: sheet(change),
  read: hostbound,
  isMismatch: false,
  since: 0,
  until: 24_000,
  problem: null,
  ...more,
});

/** Sheets by what is special about them. */
export const sheets: Record<string, ShownSheet> = {
  known: shown(),
  'new host, remembered': shown({
    badge: { badge: 'newHost', fingerprint: keys.host },
    code: null,
    canPin: true,
    pin: true,
  }),
  'code to type': shown({
    badge: { badge: 'newHost', fingerprint: keys.host },
    code: null,
    canPin: true,
    mode: 'matching',
    triesLeft: 2,
  }),
  'not proven, several': shown(
    {
      badge: { badge: 'notProven', why: 'noBind' },
      equal: 3,
      waiting: 2,
      kind: 'publickey',
      deviceName: 'ThinkPad',
    },
    { read: { ...hostbound, kind: 'publickey', hostKey: null } },
  ),
  forwarded: shown({
    badge: { badge: 'vouched', name: 'bastion', fingerprint: keys.other },
    hops: ['bastion', 'build-7'],
    code: null,
  }),
  certificate: shown(
    { kind: 'certificate' },
    {
      read: {
        ...hostbound,
        kind: 'certificate',
        certificate: { ca: keys.other, principals: ['deploy', 'ops'] },
      },
    },
  ),
  signature: shown(
    { kind: 'sshsig', badge: { badge: 'signature' }, host: '', user: '', detail: 'git' },
    { read: { kind: 'sshsig', namespace: 'git' } },
  ),
  verifying: shown({ mode: 'verifying' }),
  'verifying elsewhere': shown({ mode: 'verifying', here: false }),
  'not verified': shown({}, { problem: 'notVerified' }),
  terminal: shown({ approval: { by: 'terminal' } }),
  'other page': shown({ approval: { by: 'otherPage', rpId: 'localhost' } }),
  mismatch: shown({}, { isMismatch: true }),
  unreadable: shown({}, { read: null }),
  changed: shown({
    badge: {
      badge: 'changed',
      name: 'web.example.org',
      known: keys.other,
      fingerprint: keys.host,
    },
  }),
  hostile: shown({
    deviceName: 'Vision\u{202E}orP \u{200B}noisiV',
    host: `${'a'.repeat(70)}.example.org`,
    label: '\u{5E9}\u{5E8}\u{5EA} prod',
  }),
};
