/**
 * What may leave for Stately's hosted inspector, field by field. A name that is in none of these
 * lists does not leave, and neither does what it holds: a field that a chart gets later is kept
 * here until somebody has put it into a list.
 */
import { failures } from '../../../machines/failures.ts';

/** Times, clocks and counts, in these fields only: numbers go as they are. */
export const numbers: ReadonlySet<string> = new Set([
  'at',
  'attempt',
  'deadline',
  'equal',
  'jitter',
  'left',
  'protocol',
  'queueTimeout',
  'queueTtl',
  'settle',
  'sheetTtl',
  'signerTimeout',
  'tries',
  'ttl',
  'waiting',
]);

const reasons: ReadonlySet<string> = new Set(Object.keys(failures));

/** Fields whose text goes if it is one of these words, all of them our own. */
export const words: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['reason', reasons],
  ['why', reasons],
  ['kind', new Set(['publickey', 'hostbound', 'certificate', 'sshsig'])],
  ['strength', new Set(['bound', 'vouched', 'none'])],
  ['forwarding', new Set(['never', 'ask', 'listed'])],
  ['verdict', new Set(['verified', 'refused'])],
]);

/** Fields that name one thing again and again, or a list of them: told by its kind and a number. */
export const ids: ReadonlyMap<string, string> = new Map([
  ['id', 'phone'],
  ['phoneId', 'phone'],
  ['requestId', 'request'],
  ['ref', 'request'],
  ['seen', 'request'],
  ['flowId', 'flow'],
  ['linkId', 'link'],
  ['deviceId', 'device'],
  ['muted', 'device'],
  ['cooling', 'device'],
  ['served', 'device'],
]);

/** Fields that hold an object whose own names are ids, by their kind. */
export const tables: ReadonlyMap<string, string> = new Map([
  ['found', 'instance'],
  ['ignored', 'device'],
]);

/** Further names that may be seen. Of what they hold, only what the lists above let through. */
export const names: ReadonlySet<string> = new Set(
  `input output error actorId message name detail status signal exit host hostname port
   user server preferred hostKey keyType known methods refused fingerprint fingerprints
   identities label algorithm publicKey onlyFor request outstanding challengeHash
   signatureHash code phone phones wasLinked remembered endpoint endpoints address instance
   enabled allowed pins pin isCa since hostboundHosts policy listed requireProof timeLimit links
   queue waited proof certificate ca problem hops proven pinning shown deviceName peerName`.split(
    /\s+/,
  ),
);
