import { Buffer } from 'node:buffer';
import type { Client, ParsedKey } from 'ssh2';

/** Gets the signature over `challenge` made and calls `done` with its blob, at once or later. */
export type Sign = (challenge: Buffer, done: (signatureBlob: Buffer) => void) => void;

/** `algorithm`: given where a key has several; otherwise it is the key's type. */
export type SignedRequest = (
  user: string,
  key: ParsedKey,
  algorithm: string | undefined,
  sign: Sign,
) => void;

/** ssh2's own function: it holds a packet back while keys are exchanged. */
export type SendPacket = (protocol: object, packet: Buffer) => unknown;

/**
 * The undocumented parts of ssh2 1.17.0 that a login stands on. Only this file names them, and
 * `ssh2-contract.test.ts` pins them.
 */
export interface Ssh2Insides {
  /** The first exchange hash of the connection, also during a later key exchange. */
  sessionId: () => Buffer | null;
  /** The server's signature blob: there while the host key is verified. */
  kexSignature: () => Buffer | null;
  /**
   * Shows every packet's payload before ssh2 acts on it, until the returned function is called;
   * those of a key exchange are not shown.
   */
  watchPackets: (see: (payload: Buffer) => void) => () => void;
  /**
   * From now on `request` is called where ssh2 would make a public-key request with a signature
   * (RFC 4252 §7). Offers without one are still ssh2's.
   */
  replaceSignedRequests: (request: SignedRequest) => void;
  /** Sends an SSH_MSG_USERAUTH_REQUEST of a public-key method. Throws when ssh2 cannot. */
  sendRequest: (payload: Buffer) => void;
}

interface PacketWriter {
  /** Where in a packet from `alloc` its payload begins. */
  allocStart: number;
  alloc: (payloadLength: number) => Buffer;
  finalize: (packet: Buffer) => Buffer;
}

/** Of a client that was told to connect in this very turn. `null`: ssh2 is built otherwise. */
export function insidesOf(client: Client, sendPacket: SendPacket): Ssh2Insides | null {
  const protocol = objectIn(client, '_protocol');
  if (protocol === null || !('_kex' in protocol) || typeof sendPacket !== 'function') return null;
  const handlePayload: unknown = Reflect.get(protocol, '_onPayload');
  const authPK: unknown = Reflect.get(protocol, 'authPK');
  const unanswered: unknown = Reflect.get(protocol, '_authsQueue');
  const packets = objectIn(protocol, '_packetRW');
  if (typeof handlePayload !== 'function' || typeof authPK !== 'function') return null;
  if (!Array.isArray(unanswered) || packets === null || !isWriter(objectIn(packets, 'write'))) {
    return null;
  }

  const ofKex = (name: string): Buffer | null => {
    const exchange = objectIn(protocol, '_kex');
    const value: unknown = exchange && Reflect.get(exchange, name);
    return Buffer.isBuffer(value) ? value : null;
  };

  return {
    sessionId: () => ofKex('sessionID'),
    kexSignature: () => ofKex('_sig'),

    watchPackets(see) {
      let watching = true;
      Reflect.set(protocol, '_onPayload', (payload: Buffer): unknown => {
        if (watching) see(payload);
        return Reflect.apply(handlePayload, protocol, [payload]);
      });
      return () => {
        // The keys in use keep the function above; those of a later exchange take ssh2's own.
        watching = false;
        Reflect.set(protocol, '_onPayload', handlePayload);
      };
    },

    replaceSignedRequests(request) {
      Reflect.set(protocol, 'authPK', (user: string, key: ParsedKey, ...rest: unknown[]): void => {
        const sign = rest.find((argument) => typeof argument === 'function');
        const algorithm = rest.find((argument) => typeof argument === 'string');
        if (sign === undefined) Reflect.apply(authPK, protocol, [user, key, algorithm]);
        else request(user, key, algorithm, sign as Sign);
      });
    },

    sendRequest(payload) {
      // Asked for anew: it changes with the keys.
      const writer = objectIn(packets, 'write');
      if (!isWriter(writer)) throw new Error('ssh2 has no packet writer');
      const packet = writer.alloc(payload.length);
      packet.set(payload, writer.allocStart);
      const finalized = writer.finalize(packet);
      // By this ssh2 tells what the server's answer is to.
      unanswered.push('publickey');
      sendPacket(protocol, finalized);
    },
  };
}

function objectIn(holder: object, name: string): object | null {
  const value: unknown = Reflect.get(holder, name);
  return typeof value === 'object' ? value : null;
}

function isWriter(value: object | null): value is PacketWriter {
  if (value === null) return false;
  const { allocStart, alloc, finalize } = value as Partial<PacketWriter>;
  return (
    typeof allocStart === 'number' && typeof alloc === 'function' && typeof finalize === 'function'
  );
}
