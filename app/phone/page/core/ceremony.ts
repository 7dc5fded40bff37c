/** WebAuthn: the person is verified by their passkey, which signs what it is given. */
import type { Creation, MadePasskey } from '../../../../adapters/phone-page/actions.ts';
import type { Credential } from '../../../../adapters/phone-page/protocol.ts';
import { fromBase64url, toBase64url, type Bytes } from './bytes.ts';
import type { Asserted, AssertOver } from './ports.ts';

/** COSE algorithm ES256 (RFC 9053 §2.1). */
const ES256 = -7;

/** Milliseconds: a person may have to look for their security key. */
const CREATION_TIME = 5 * 60_000;

export const assertOver: AssertOver = async (challenge, credential, { signal, timeout, salt }) => {
  const id = fromBase64url(credential.id);
  if (id === null) return null;
  try {
    const made = await navigator.credentials.get({
      signal,
      publicKey: {
        challenge,
        timeout,
        rpId: credential.rpId,
        userVerification: 'required',
        allowCredentials: [{ type: 'public-key', id, transports: transportsOf(credential) }],
        ...(salt === null ? {} : { extensions: { prf: { eval: { first: salt } } } }),
      },
    });
    return made instanceof PublicKeyCredential ? assertedBy(made, credential.id) : null;
  } catch {
    return null;
  }
};

/** Member by member: `toJSON()` of it has the PRF output inside. */
function assertedBy(made: PublicKeyCredential, expected: string): Asserted | null {
  const secret = made.getClientExtensionResults().prf?.results?.first;
  const { response } = made;
  const credentialId = toBase64url(new Uint8Array(made.rawId));
  if (!(response instanceof AuthenticatorAssertionResponse) || credentialId !== expected) {
    return null;
  }
  const assertion = {
    credentialId,
    clientDataJSON: toBase64url(new Uint8Array(response.clientDataJSON)),
    authenticatorData: toBase64url(new Uint8Array(response.authenticatorData)),
    signature: toBase64url(new Uint8Array(response.signature)),
  };
  return { assertion, secret: secret === undefined ? null : viewOf(secret) };
}

export interface NewPasskey {
  made: MadePasskey;
  credential: Credential;
  hasPrf: boolean;
}

/** A passkey that only makes signatures with its owner verified. `null`: as of `assertOver`. */
export async function makePasskey(
  { challenge, rpId, userId, userName }: Creation,
  wantsPrf: boolean,
): Promise<NewPasskey | null> {
  const [challengeBytes, id] = [fromBase64url(challenge), fromBase64url(userId)];
  if (challengeBytes === null || id === null) return null;
  try {
    const made = await navigator.credentials.create({
      publicKey: {
        challenge: challengeBytes,
        timeout: CREATION_TIME,
        rp: { id: rpId, name: 'Remote Signer' },
        user: { id, name: userName, displayName: userName },
        pubKeyCredParams: [{ type: 'public-key', alg: ES256 }],
        // What can be found without its id is what the makers of phones keep and copy.
        authenticatorSelection: {
          residentKey: 'required',
          requireResidentKey: true,
          userVerification: 'required',
        },
        attestation: 'none',
        ...(wantsPrf ? { extensions: { prf: {} } } : {}),
      },
    });
    return made instanceof PublicKeyCredential ? passkeyOf(made, rpId) : null;
  } catch {
    return null;
  }
}

function passkeyOf(made: PublicKeyCredential, rpId: string): NewPasskey | null {
  const { response } = made;
  if (!(response instanceof AuthenticatorAttestationResponse)) return null;
  const transports = response.getTransports().filter((one) => /^[a-z-]{1,20}$/.test(one));
  return {
    made: {
      clientDataJSON: toBase64url(new Uint8Array(response.clientDataJSON)),
      authenticatorData: toBase64url(new Uint8Array(response.getAuthenticatorData())),
      transports,
      attachment: attachmentOf(made.authenticatorAttachment),
    },
    credential: { id: toBase64url(new Uint8Array(made.rawId)), transports, rpId },
    hasPrf: made.getClientExtensionResults().prf?.enabled === true,
  };
}

/** Asks the browser to forget a passkey that no identity has. `false`: it stays in their passwords. */
export async function forgetPasskey({ rpId, id }: Credential): Promise<boolean> {
  try {
    await PublicKeyCredential.signalUnknownCredential({ rpId, credentialId: id });
    return true;
  } catch {
    return false;
  }
}

/** What is needed of them is that the browser knows where to look. */
const transportsOf = ({ transports }: Credential) => transports as AuthenticatorTransport[];

const attachmentOf = (told: string | null): MadePasskey['attachment'] =>
  told === 'platform' || told === 'cross-platform' ? told : null;

/** On the memory itself, so that overwriting it overwrites the only copy. */
function viewOf(secret: BufferSource): Bytes {
  if (secret instanceof ArrayBuffer) return new Uint8Array(secret);
  return new Uint8Array(secret.buffer as ArrayBuffer, secret.byteOffset, secret.byteLength);
}
