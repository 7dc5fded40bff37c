import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import type multicastDns from 'multicast-dns';

/** The records DNS-SD is made of (RFC 6763 §4–6), as read from the network. `ttl` in seconds. */
export type DnsRecord = { name: string; ttl: number; flush: boolean } & (
  | { type: 'PTR'; target: string }
  | { type: 'SRV'; priority: number; weight: number; port: number; target: string }
  | { type: 'A' | 'AAAA'; address: string }
);

export interface DnsQuestion {
  name: string;
  /** `PTR`, `SRV`, … or `ANY`; types unknown to the codec come as `UNKNOWN_n`. */
  type: string;
}

/** One parsed message. Records of other types and classes, and malformed ones, are left out. */
export interface DnsMessage {
  kind: 'query' | 'response';
  id: number;
  questions: DnsQuestion[];
  answers: DnsRecord[];
  authorities: DnsRecord[];
  additionals: DnsRecord[];
}

/** RFC 6762 §17: a message, headers included, never exceeds 9000 bytes. */
const maxMessageBytes = 9000;
const maxRecords = 512;
const headerBytes = 12;
/** RFC 1035 §4.1.2, §4.1.3 with a root name and no data. */
const minQuestionBytes = 5;
const minRecordBytes = 11;

/**
 * Whether bytes are worth decoding: sizes within RFC 6762 §17, opcode and rcode zero (§18.3,
 * §18.11), and no more records claimed than the bytes could hold. The codec allocates and loops as
 * the counts say, before it looks at a single record.
 */
export function isPlausibleMessage(bytes: Buffer): boolean {
  if (bytes.length < headerBytes || bytes.length > maxMessageBytes) return false;
  const flags = bytes.readUInt16BE(2);
  if ((flags & 0x78_0f) !== 0) return false;
  const questions = bytes.readUInt16BE(4);
  const records = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10);
  return (
    questions + records <= maxRecords &&
    headerBytes + questions * minQuestionBytes + records * minRecordBytes <= bytes.length
  );
}

/** Takes from a decoded packet what DNS-SD needs, trusting none of the codec's types. */
export function readMessage(packet: multicastDns.FullPacket): DnsMessage {
  const { id = 0, questions = [], answers = [], authorities = [], additionals = [] } = packet;
  return {
    kind: packet.type === 'response' ? 'response' : 'query',
    id,
    questions: questions.filter(isInternetQuestion).map(({ name, type }) => ({ name, type })),
    answers: answers.flatMap(readRecord),
    authorities: authorities.flatMap(readRecord),
    additionals: additionals.flatMap(readRecord),
  };
}

/** Class IN or ANY; the codec gives IN with the unicast-response bit (RFC 6762 §5.4) a number. */
function isInternetQuestion({ class: questionClass }: { class?: string | undefined }): boolean {
  return ['IN', 'ANY', 'UNKNOWN_32769'].includes(questionClass ?? 'IN');
}

function readRecord(answer: NonNullable<multicastDns.FullPacket['answers']>[number]): DnsRecord[] {
  const { name, type } = answer;
  if (answer.type === 'OPT' || answer.class !== 'IN') return [];
  const ttl = answer.ttl ?? 0;
  const flush = answer.flush === true;
  const data: unknown = answer.data;
  if (type === 'PTR' && typeof data === 'string') return [{ name, type, ttl, flush, target: data }];
  if (type === 'A' && typeof data === 'string' && isIPv4(data))
    return [{ name, type, ttl, flush, address: data }];
  if (type === 'AAAA' && typeof data === 'string' && isIPv6(data))
    return [{ name, type, ttl, flush, address: canonicalIPv6(data) }];
  if (type === 'SRV' && typeof data === 'object' && data !== null) {
    const { priority, weight, port, target } = data as Record<string, unknown>;
    if (
      typeof priority === 'number' &&
      typeof weight === 'number' &&
      typeof port === 'number' &&
      typeof target === 'string'
    )
      return [{ name, type, ttl, flush, priority, weight, port, target }];
  }
  return [];
}

/** One spelling for each IPv6 address (RFC 5952), so that they compare as strings. */
export function canonicalIPv6(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address;
}
