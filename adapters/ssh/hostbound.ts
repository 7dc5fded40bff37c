import { Buffer } from 'node:buffer';
import type { SessionBind } from '../wire/session-bind.ts';
import { encodeString } from '../wire/ssh-wire.ts';
import { wireReader } from '../wire/wire-reader.ts';
import type { Ssh2Insides } from './ssh2-insides.ts';

/** RFC 8308 §2.3. */
const SSH_MSG_EXT_INFO = 7;
/** RFC 4252 §6. */
const SSH_MSG_USERAUTH_REQUEST = 50;
const SSH_MSG_USERAUTH_SUCCESS = 52;

/** OpenSSH PROTOCOL §3.1: the extension, its only version, and the method that it announces. */
const HOSTBOUND_EXTENSION = 'publickey-hostbound@openssh.com';
const HOSTBOUND_VERSION = '0';
const METHOD_PUBLICKEY_HOSTBOUND = 'publickey-hostbound-v00@openssh.com';

export interface HostboundOptions {
  /** Of a client that was told to connect in this very turn. */
  insides: Ssh2Insides;
  /** What the connection's first key exchange has proven. */
  bind: () => SessionBind | null;
  /** Nothing was signed or nothing was sent: ssh2 is not what it is taken for. */
  refuse: (detail: string) => void;
}

export interface BoundLogins {
  /** What proves where a challenge's signature goes; `null`: the challenge was not made here. */
  proofOf: (challenge: Buffer) => SessionBind | null;
}

/**
 * Makes ssh2's signed public-key requests here, with the server's host key in them when the server
 * announces that it takes such (OpenSSH PROTOCOL §3.1), and as RFC 4252 §7 has them otherwise. What
 * is given to be signed and what is sent are made of the same bytes. The signature comes as the whole
 * blob, which ssh2 itself would not take. Offers without a signature stay ssh2's.
 *
 * A server that compresses before the login is taken to announce nothing.
 */
export function bindLoginsToHost({ insides, bind, refuse }: HostboundOptions): BoundLogins {
  const watch = watchForHostbound(insides);
  const proofs = new WeakMap<Buffer, SessionBind>();

  insides.replaceSignedRequests((user, key, algorithm = key.type, sign) => {
    if (algorithm !== key.type) {
      refuse(`ssh2 asks for a signature of an unknown kind: ${algorithm}`);
      return;
    }
    const proof = bind();
    if (proof === null || insides.sessionId()?.equals(proof.sessionId) !== true) {
      refuse("ssh2 does not show the server's proof of its host key");
      return;
    }
    if (!watch.hasSeenPackets()) {
      refuse('ssh2 does not show what the server announces');
      return;
    }
    const hostKey = watch.isAnnounced() ? proof.hostKey : null;
    const request = requestFor(user, algorithm, key.getPublicSSH(), hostKey);
    const challenge = Buffer.concat([encodeString(proof.sessionId), request]);
    proofs.set(challenge, proof);
    sign(challenge, (blob) => {
      try {
        insides.sendRequest(Buffer.concat([request, encodeString(blob)]));
      } catch (error) {
        refuse(`ssh2 did not send the signature: ${String(error)}`);
      }
    });
  });
  return { proofOf: (challenge) => proofs.get(challenge) ?? null };
}

/** The request without its signature; the hostbound one if there is a host key. */
function requestFor(
  user: string,
  algorithm: string,
  keyBlob: Buffer,
  hostKey: Uint8Array | null,
): Buffer {
  return Buffer.concat([
    Buffer.of(SSH_MSG_USERAUTH_REQUEST),
    encodeString(user),
    encodeString('ssh-connection'),
    encodeString(hostKey === null ? 'publickey' : METHOD_PUBLICKEY_HOSTBOUND),
    Buffer.of(1),
    encodeString(algorithm),
    encodeString(keyBlob),
    ...(hostKey === null ? [] : [encodeString(hostKey)]),
  ]);
}

/** Reads what ssh2 drops of SSH_MSG_EXT_INFO, until the login is complete. */
function watchForHostbound(insides: Ssh2Insides): {
  isAnnounced: () => boolean;
  hasSeenPackets: () => boolean;
} {
  let isAnnounced = false;
  let hasSeenPackets = false;
  const stop = insides.watchPackets((payload) => {
    hasSeenPackets = true;
    if (payload[0] === SSH_MSG_EXT_INFO) isAnnounced ||= announcesHostbound(payload);
    else if (payload[0] === SSH_MSG_USERAUTH_SUCCESS) stop();
  });
  return { isAnnounced: () => isAnnounced, hasSeenPackets: () => hasSeenPackets };
}

/** `payload`: an SSH_MSG_EXT_INFO (RFC 8308 §2.3). A malformed one announces nothing. */
function announcesHostbound(payload: Uint8Array): boolean {
  const reader = wireReader(payload);
  let isAnnounced = false;
  reader.byte();
  for (let left = reader.uint32() ?? 0; left > 0; left--) {
    const name = reader.string();
    const value = reader.string();
    if (name === null || value === null) return false;
    if (isText(name, HOSTBOUND_EXTENSION) && isText(value, HOSTBOUND_VERSION)) isAnnounced = true;
  }
  return isAnnounced && reader.atEnd();
}

function isText(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(text).equals(bytes);
}
