/** The ports of the headset's charts: the server, the way to the phone, the network. */
import { fromCallback, fromEventObservable, type ObservableActorLogic } from 'xstate';
import type { FailureReason } from '../failures.ts';
import {
  missing,
  type CallbackPort,
  type DenialReason,
  type Endpoint,
  type Phone,
  type PublicIdentity,
  type SignerFailure,
  type Timed,
} from '../ports.ts';

export interface SshInput {
  /** As the person typed it: an ssh_config alias, a DNS name or an address. */
  host: string;
  /** `null`: what ssh_config says, else 22. */
  port: number | null;
  /** `null`: what ssh_config says, else the local user's name. */
  user: string | null;
}

export type SshCommand =
  | { type: 'ssh.acceptHostKey' }
  | { type: 'ssh.rejectHostKey' }
  /** Offer these identities without signatures (RFC 4252 §7), one at a time, in this order. */
  | { type: 'ssh.offer'; identities: PublicIdentity[] }
  /** Give the server the signature that was made for this request. */
  | { type: 'ssh.handOver'; requestId: string };

export type SshFact = Timed &
  (
    | { type: 'ssh.resolved'; hostname: string; port: number; user: string }
    | { type: 'ssh.hostKeyKnown'; fingerprint: string; keyType: string }
    | { type: 'ssh.hostKeyUnknown'; fingerprint: string; keyType: string }
    | { type: 'ssh.hostKeyChanged'; fingerprint: string; keyType: string; known: string }
    | { type: 'ssh.hostKeyRevoked'; fingerprint: string; keyType: string }
    /** `none` was refused; publickey is among the methods that can continue. */
    | { type: 'ssh.publickeyWanted'; methods: string[] }
    | { type: 'ssh.publickeyNotOffered'; methods: string[] }
    | { type: 'ssh.identityRefused'; fingerprint: string }
    /** SSH_MSG_USERAUTH_PK_OK. The challenge waits in the adapter under `requestId`. */
    | {
        type: 'ssh.identityAccepted';
        fingerprint: string;
        requestId: string;
        challengeHash: string;
        /** Two digits: the matching code of this request. */
        code: string;
      }
    /** The server took none of the offered identities, or refused the signature. */
    | { type: 'ssh.permissionDenied'; methods: string[] }
    | { type: 'ssh.authenticated' }
    /** `status` or `signal` when the remote program ended; both `null` when the connection did. */
    | { type: 'ssh.closed'; status: number | null; signal: string | null; detail: string }
    | { type: 'ssh.failed'; reason: SshFailure; detail: string }
  );

export type SshFailure = Extract<
  FailureReason,
  | 'hostNotFound'
  | 'connectionRefused'
  | 'hostUnreachable'
  | 'notAnSshServer'
  | 'noCommonAlgorithm'
  | 'badHostKeySignature'
  | 'sshConfigUnusable'
  | 'commandRefused'
  | 'serverClosed'
  | 'internalError'
>;

export interface SignerLinkInput {
  /** Which flow asks; answers find their way back by it. */
  flowId: string;
}

export type SignerLinkCommand =
  /** A phone is needed now: look again if the last search ended with nothing. */
  | { type: 'link.want' }
  | {
      type: 'link.send';
      requestId: string;
      fingerprint: string;
      phoneId: string;
      /** As typed; empty when nobody named it. */
      host: string;
      /** 0 with an unnamed host. */
      port: number;
      user: string;
      /** Two digits, shown here and compared or typed on the phone. */
      code: string;
      /** Milliseconds that the sheet may stay if it is shown at once. */
      ttl: number;
      /** Milliseconds that the request may wait behind another sheet. */
      queueTtl: number;
      /** Milliseconds that the sheet may stay once it is shown after waiting. */
      sheetTtl: number;
    }
  | { type: 'link.withdraw'; requestId: string };

export type SignerLinkFact = Timed &
  (
    | { type: 'link.up'; phone: Phone; identities: PublicIdentity[] }
    | { type: 'link.lost' }
    /** The search's first window passed and nothing on the network answered. */
    | { type: 'link.nothingFound' }
    | { type: 'link.unusable'; reason: LinkFailure }
    | { type: 'signer.queued'; requestId: string }
    | { type: 'signer.presented'; requestId: string }
    /** Its sheet is up, and nobody has the phone before them that should see it. */
    | { type: 'signer.unseen'; requestId: string }
    /** The signature was verified over the challenge; it waits in the adapter. */
    | { type: 'signer.signed'; requestId: string; signatureHash: string }
    | { type: 'signer.denied'; requestId: string; why: DenialReason }
    | { type: 'signer.expired'; requestId: string }
    | { type: 'signer.failed'; requestId: string; reason: SignerFailure }
  );

/** What keeps a link from coming up that no waiting cures. */
export type LinkFailure = Extract<
  FailureReason,
  'noPhonePaired' | 'phoneForgotHeadset' | 'unknownPhone' | 'updateVmux' | 'updateSigner'
>;

/** DNS-SD browsing (RFC 6763), as an observable of these. */
export type PeerFact =
  | { type: 'peer.found'; instance: string; endpoints: Endpoint[] }
  | { type: 'peer.gone'; instance: string };

export interface BrowseInput {
  serviceType: string;
}

export type ConnectorCommand =
  /** Dial these; the first paired phone to answer is reported, and only that one. */
  | { type: 'connector.dial'; endpoints: Endpoint[] }
  /** Exchange `hello` with the phone that answered. */
  | { type: 'connector.secure' }
  /** Drop the link and every dial under way. */
  | { type: 'connector.close' };

export type ConnectorFact =
  /** TLS is up and the certificate is that of a paired phone. */
  | { type: 'peer.answered'; endpoint: Endpoint; phone: Phone }
  | { type: 'peer.unreachable'; endpoint: Endpoint; detail: string }
  | { type: 'peer.refused'; endpoint: Endpoint; reason: LinkFailure }
  | {
      type: 'link.established';
      phone: Phone;
      endpoint: Endpoint;
      protocol: number;
      identities: PublicIdentity[];
    }
  | { type: 'link.identitiesChanged'; identities: PublicIdentity[] }
  /** `jitter`: uniform in [0, 1), for the backoff. */
  | { type: 'link.dropped'; detail: string; jitter: number }
  /** The phone said that it no longer is paired with this headset. */
  | { type: 'link.unpaired'; phone: Phone };

export const sshPort: CallbackPort<SshCommand, SshInput> = fromCallback(() => missing('ssh'));

export const signerLinkPort: CallbackPort<SignerLinkCommand, SignerLinkInput> = fromCallback(() =>
  missing('link'),
);

export const browsePort: ObservableActorLogic<PeerFact, BrowseInput> = fromEventObservable(() =>
  missing('browse'),
);

export const connectorPort: CallbackPort<ConnectorCommand, undefined> = fromCallback(() =>
  missing('connector'),
);
