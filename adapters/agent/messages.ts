/** Requests to the agent and its answers (RFC 9987 §5), without the frame around them. */
import { Buffer } from 'node:buffer';
import { encodeString, encodeUint32 } from '../wire/ssh-wire.ts';
import { wireReader, type WireReader } from '../wire/wire-reader.ts';
import { SESSION_ID_LENGTHS, type SessionBind } from '../wire/session-bind.ts';
import {
  EXTENSION_QUERY,
  EXTENSION_SESSION_BIND,
  SSH_AGENTC_EXTENSION,
  SSH_AGENTC_REQUEST_IDENTITIES,
  SSH_AGENTC_SIGN_REQUEST,
  SSH_AGENT_EXTENSION_RESPONSE,
  SSH_AGENT_FAILURE,
  SSH_AGENT_IDENTITIES_ANSWER,
  SSH_AGENT_SIGN_RESPONSE,
  SSH_AGENT_SUCCESS,
} from './protocol.ts';

/** What this agent serves. Every buffer is a copy. */
export type AgentRequest =
  | { type: 'requestIdentities' }
  | { type: 'sign'; keyBlob: Buffer; data: Buffer; flags: number }
  /** `bind` is `null` when what follows the name is malformed: that, too, is a bind that failed. */
  | { type: 'sessionBind'; bind: SessionBind | null }
  | { type: 'query' };

/**
 * `null` for every request that this agent does not serve, and for one that is not exactly as its
 * section has it: nothing missing, nothing after it. Never throws.
 */
export function readAgentRequest(message: Uint8Array): AgentRequest | null {
  const reader = wireReader(message);
  switch (reader.byte()) {
    case SSH_AGENTC_REQUEST_IDENTITIES:
      return reader.atEnd() ? { type: 'requestIdentities' } : null;
    case SSH_AGENTC_SIGN_REQUEST:
      return readSign(reader);
    case SSH_AGENTC_EXTENSION:
      return readExtension(reader);
    default:
      return null;
  }
}

function readSign(reader: WireReader): AgentRequest | null {
  const keyBlob = reader.string();
  const data = reader.string();
  const flags = reader.uint32();
  if (keyBlob === null || data === null || flags === null || !reader.atEnd()) return null;
  return { type: 'sign', keyBlob: Buffer.from(keyBlob), data: Buffer.from(data), flags };
}

function readExtension(reader: WireReader): AgentRequest | null {
  switch (reader.text()) {
    case EXTENSION_QUERY:
      return reader.atEnd() ? { type: 'query' } : null;
    case EXTENSION_SESSION_BIND:
      return { type: 'sessionBind', bind: readSessionBind(reader) };
    default:
      return null;
  }
}

function readSessionBind(reader: WireReader): SessionBind | null {
  const hostKey = reader.string();
  const sessionId = reader.string();
  const signature = reader.string();
  const isForwarding = reader.boolean();
  if (hostKey === null || sessionId === null || signature === null) return null;
  if (isForwarding === null || !reader.atEnd()) return null;
  if (!SESSION_ID_LENGTHS.has(sessionId.length)) return null;
  return {
    hostKey: Buffer.from(hostKey),
    sessionId: Buffer.from(sessionId),
    signature: Buffer.from(signature),
    isForwarding,
  };
}

export function encodeFailure(): Buffer {
  return Buffer.of(SSH_AGENT_FAILURE);
}

export function encodeSuccess(): Buffer {
  return Buffer.of(SSH_AGENT_SUCCESS);
}

/** RFC 9987 §5.5: the number of keys, then blob and comment of each. */
export function encodeIdentities(
  identities: readonly { keyBlob: Uint8Array; comment: string }[],
): Buffer {
  return Buffer.concat([
    Buffer.of(SSH_AGENT_IDENTITIES_ANSWER),
    encodeUint32(identities.length),
    ...identities.flatMap(({ keyBlob, comment }) => [encodeString(keyBlob), encodeString(comment)]),
  ]);
}

/** RFC 9987 §5.6. */
export function encodeSignResponse(signature: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(SSH_AGENT_SIGN_RESPONSE), encodeString(signature)]);
}

/** RFC 9987 §5.8.1: the name of the request, then those of the extensions, to the message's end. */
export function encodeQueryResponse(): Buffer {
  return Buffer.concat([
    Buffer.of(SSH_AGENT_EXTENSION_RESPONSE),
    ...[EXTENSION_QUERY, EXTENSION_QUERY, EXTENSION_SESSION_BIND].map((name) => encodeString(name)),
  ]);
}
