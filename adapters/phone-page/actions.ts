/** What a person changes in the phone's page. Like the protocol, in both: types and nothing else. */
import type { Policy } from '../../machines/phone/policy.ts';
import type { PageAssertion, SealedByPasskey } from './protocol.ts';

export type PageAction =
  | { do: 'identity.begin'; kind: 'passkey' | 'sealed'; label: string }
  | { do: 'identity.finish'; creation: string; made: MadePasskey; sealed: MadeSealedKey | null }
  | { do: 'identity.rename'; fingerprint: string; label: string }
  | { do: 'identity.enable' | 'identity.disable' | 'identity.remove'; fingerprint: string }
  | { do: 'device.rename'; id: string; name: string }
  | { do: 'device.remove'; id: string }
  /** 0 ends it. */
  | { do: 'device.mute'; id: string; minutes: number }
  | { do: 'host.remove'; name: string; port: number }
  /** Only what changes. */
  | { do: 'policy.set'; policy: Partial<Policy> }
  | { do: 'browser.remove'; id: string }
  | { do: 'push.on'; subscription: PagePushSubscription }
  | { do: 'push.off' | 'push.test' };

/** What `identity.begin` answers. */
export interface Creation {
  creation: string;
  rpId: string;
  /** 32 bytes, of `create()`. */
  challenge: string;
  /** 32 bytes, of `user.id`. */
  userId: string;
  /** `user.name`: all that an iPhone shows beside the name of the page. */
  userName: string;
  /** 32 bytes, of the `get()` that seals: for sealed keys. */
  sealingChallenge: string;
}

export interface MadePasskey {
  clientDataJSON: string;
  /** Of the attestation response (`getAuthenticatorData()`). */
  authenticatorData: string;
  transports: string[];
  /** `authenticatorAttachment`. */
  attachment: 'platform' | 'cross-platform' | null;
}

export interface MadeSealedKey {
  sealed: SealedByPasskey;
  /** By the new passkey, over `sealingChallenge`; the one whose PRF output sealed the key. */
  assertion: PageAssertion;
  /** By the sealed key over `sealingChallenge`: r and s of 32 bytes each. */
  proof: string;
}

/** What `identity.finish` answers. */
export interface Created {
  fingerprint: string;
}

/** `PushSubscription.toJSON()`. */
export interface PagePushSubscription {
  endpoint: string;
  keys: { p256dh: string; auth: string };
}
