/** What the page asks of the authenticator, which on an iPhone asks for Face ID. */
import type {
  Credential as KnownCredential,
  MadePasskey,
  PageAssertion,
} from '../../../../adapters/phone-page/protocol.ts';
import type { Creation } from '../../../../adapters/phone-page/actions.ts';
import { fromBase64url, toBase64url } from './bytes.ts';

/** Cancelled, too late, not recognised, no such passkey: the browser has one word for all. */
export class NotVerified extends Error {
  override readonly name = 'NotVerified';
}

export interface Asserted {
  assertion: PageAssertion;
  /** PRF's 32 bytes; whoever takes them fills them with zeros. `null`: none was asked, or there is none. */
  secret: Uint8Array<ArrayBuffer> | null;
}

export interface AssertOptions {
  signal: AbortSignal;
  /** Milliseconds. */
  timeout: number;
  /** Input of PRF. */
  salt?: Uint8Array<ArrayBuffer>;
}

const ES256 = -7;

/**
 * Has this passkey sign these bytes. Call it in the handler of a tap: the authenticator is asked
 * before it returns. Rejects with `NotVerified`.
 */
export async function assertOver(
  bytes: Uint8Array<ArrayBuffer>,
  { id, transports, rpId }: KnownCredential,
  { signal, timeout, salt }: AssertOptions,
): Promise<Asserted> {
  const made = await verified(
    navigator.credentials.get({
      signal,
      publicKey: {
        challenge: bytes,
        rpId,
        timeout: Math.max(1, Math.round(timeout)),
        userVerification: 'required',
        allowCredentials: [
          {
            type: 'public-key',
            id: fromBase64url(id),
            transports: transports as AuthenticatorTransport[],
          },
        ],
        ...(salt !== undefined && { extensions: { prf: { eval: { first: salt } } } }),
      },
    }),
  );
  const { clientDataJSON, authenticatorData, signature } =
    made.response as AuthenticatorAssertionResponse;
  // Never `toJSON()`: it has PRF's output in it.
  const first = made.getClientExtensionResults().prf?.results?.first;
  return {
    assertion: {
      credentialId: toBase64url(made.rawId),
      clientDataJSON: toBase64url(clientDataJSON),
      authenticatorData: toBase64url(authenticatorData),
      signature: toBase64url(signature),
    },
    secret: first === undefined ? null : new Uint8Array(first as ArrayBuffer),
  };
}

export interface NewPasskey {
  made: MadePasskey;
  credential: KnownCredential;
  /** It says that it has PRF; `null`: it says nothing. */
  hasPrf: boolean | null;
}

/** Likewise in the handler of a tap. Rejects with `NotVerified`. */
export async function createCredential(
  { rpId, challenge, userId, userName }: Creation,
  wantsPrf: boolean,
): Promise<NewPasskey> {
  const made = await verified(
    navigator.credentials.create({
      publicKey: {
        rp: { id: rpId, name: 'Remote Signer' },
        user: { id: fromBase64url(userId), name: userName, displayName: userName },
        challenge: fromBase64url(challenge),
        pubKeyCredParams: [{ type: 'public-key', alg: ES256 }],
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        attestation: 'none',
        ...(wantsPrf && { extensions: { prf: {} } }),
      },
    }),
  );
  const response = made.response as AuthenticatorAttestationResponse;
  const transports = response.getTransports();
  const attachment = made.authenticatorAttachment;
  return {
    made: {
      clientDataJSON: toBase64url(response.clientDataJSON),
      authenticatorData: toBase64url(response.getAuthenticatorData()),
      transports,
      attachment: attachment === 'platform' || attachment === 'cross-platform' ? attachment : null,
    },
    credential: { id: toBase64url(made.rawId), transports, rpId },
    hasPrf: made.getClientExtensionResults().prf?.enabled ?? null,
  };
}

async function verified(asked: Promise<Credential | null>): Promise<PublicKeyCredential> {
  let made: Credential | null;
  try {
    made = await asked;
  } catch {
    throw new NotVerified();
  }
  if (made === null) throw new NotVerified();
  return made as PublicKeyCredential;
}

interface Signals {
  signalUnknownCredential?(about: { rpId: string; credentialId: string }): Promise<void>;
}

/** Tells the phone's own list that a passkey is of no use any more, where the browser can. */
export async function signalUnknown({ rpId, id }: KnownCredential): Promise<void> {
  const { signalUnknownCredential } = PublicKeyCredential as Signals;
  await signalUnknownCredential
    ?.call(PublicKeyCredential, { rpId, credentialId: id })
    .catch(() => {});
}

interface Capable {
  getClientCapabilities?(): Promise<Record<string, boolean | undefined>>;
}

/** `null`: the browser does not say. */
export async function canPrf(): Promise<boolean | null> {
  const { getClientCapabilities } = PublicKeyCredential as Capable;
  const known = await getClientCapabilities?.call(PublicKeyCredential).catch(() => null);
  return known?.['extension:prf'] ?? null;
}
