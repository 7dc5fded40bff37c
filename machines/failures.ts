/**
 * Every reason a person can meet: the message they read and the hint that says what to do.
 *
 * One row of the product page's troubleshooting table is one reason here. Adapters report reasons;
 * only this file, and the phone's answers that it includes, have the sentences.
 */

import { phoneAnswers, type Failure } from './phone-answers.ts';

const noSigner = 'No iPhone signer found.';

export type { Failure };

export const failures = {
  // ── no signature in time ──
  peerNotFound: {
    message: noSigner,
    hint: 'Nothing answered on this network. Open the signer on the phone (signer start), keep it in the foreground, then retry.',
  },
  peerUnreachable: {
    message: noSigner,
    hint: 'The phone was seen but could not be reached. Check that both devices are on the same network, reopen the signer, then retry.',
  },
  noIdentity: {
    message: noSigner,
    hint: 'The phone is reachable but offers no identity. Enable or create one there (signer identity list), then retry.',
  },
  serverSilent: {
    message: 'The server stopped answering.',
    hint: 'It named no identity that it accepts. Check the server and the network, then retry.',
  },
  notPresented: {
    message: noSigner,
    hint: 'The request was sent but the phone never showed it: it may be asleep. Open the signer there (its page, if it has one), or cycle Wi-Fi off and on, then retry.',
  },
  notApproved: {
    message: noSigner,
    hint: 'The phone showed the request and nobody approved it in time. Look at the phone when you connect.',
  },
  linkLost: {
    message: noSigner,
    hint: 'The link to the phone dropped and did not come back: it may have gone to sleep. Keep the signer in the foreground, or use Mosh, which signs once.',
  },
  queuedTooLong: {
    message: noSigner,
    hint: 'The phone was busy with another request all the while. Answer that one, then retry.',
  },
  noPhonePaired: {
    message: noSigner,
    hint: 'No phone is paired with this headset. Run "signer pair" on the phone and "vmux pair" here.',
  },
  phoneForgotHeadset: {
    message: noSigner,
    hint: 'The phone answered but no longer knows this headset. Run "signer pair" on the phone and "vmux pair" here.',
  },
  unknownPhone: {
    message: noSigner,
    hint: 'A phone answered, but not one that is paired with this headset: yours was wiped, or it is somebody else’s. If it is yours, run "signer pair" there and "vmux pair" here.',
  },
  updateVmux: {
    message: noSigner,
    hint: 'The phone speaks a newer protocol. Update vmux.',
  },
  updateSigner: {
    message: noSigner,
    hint: 'The phone speaks an older protocol. Update signer on the phone.',
  },

  ...phoneAnswers,

  // ── the server ──
  permissionDenied: {
    message: 'Permission denied (publickey)',
    hint: "The public key is not in the server's authorized_keys. Copy it from the phone (signer identity public-key LABEL) and append it there.",
  },
  publickeyNotOffered: {
    message: 'The server does not offer public-key authentication.',
    hint: 'Set "PubkeyAuthentication yes" in its sshd_config.',
  },
  handshakeTimedOut: {
    message: 'The server did not complete the SSH handshake in time.',
    hint: 'It may be overloaded, or the port may belong to something else.',
  },
  hostNotFound: {
    message: 'The host name could not be resolved.',
    hint: 'Check its spelling and the network.',
  },
  connectionRefused: {
    message: 'The server refused the connection.',
    hint: 'Check the port, and that sshd is running there.',
  },
  hostUnreachable: {
    message: 'The server could not be reached.',
    hint: 'Check the address and the network.',
  },
  notAnSshServer: {
    message: 'What answers there does not speak SSH.',
    hint: 'Check the host and the port.',
  },
  noCommonAlgorithm: {
    message: 'The server and vmux have no algorithm in common.',
    hint: 'The server is too old or too strict; see its sshd log.',
  },
  badHostKeySignature: {
    message: 'The server could not prove its host key.',
    hint: 'Someone may be between you and the server. Nothing was signed.',
  },
  sshConfigUnusable: {
    message: 'Your ssh configuration does not allow this connection.',
    hint: 'Run "ssh -G HOST" to see what OpenSSH makes of it.',
  },
  commandRefused: {
    message: 'The server refused to start the shell or command.',
    hint: 'The login itself worked; see the server’s log.',
  },
  serverClosed: {
    message: 'The server closed the connection.',
    hint: 'Its log says why; too many failed logins or a time limit are usual.',
  },
  hostKeyChanged: {
    message: 'The host key has CHANGED.',
    hint: 'Someone may be between you and the server. If the change is expected, remove the old key (ssh-keygen -R HOST, and vmux hosts forget-key HOST).',
  },
  hostKeyRevoked: {
    message: 'The host key is marked as revoked.',
    hint: 'known_hosts has an @revoked line for it. Do not connect.',
  },
  hostKeyRejected: {
    message: 'The host key was not confirmed.',
    hint: 'Compare the fingerprint with one from the server’s owner, then connect again.',
  },
  cancelled: {
    message: 'Cancelled.',
    hint: 'The request was withdrawn from the phone; nothing was signed.',
  },
  interrupted: {
    message: 'The program ended before this did.',
    hint: 'Nothing was signed for it. Connect again.',
  },

  internalError: {
    message: 'Something failed inside this program.',
    hint: 'Nothing was signed. Please report it with the output of "vmux log" or "signer log".',
  },

  // ── this device's own state ──
  logUnavailable: {
    message: 'The event log cannot be written.',
    hint: 'Nothing happens without it. Check the disk and the permissions of the state directory.',
  },
  logInconsistent: {
    message: 'The event log is damaged.',
    hint: 'Nothing was changed. Keep a copy of the state directory; move it aside to start afresh, and pair again.',
  },
  logFromNewerProgram: {
    message: 'The event log was written by a newer release.',
    hint: 'It was left untouched. Update this program.',
  },
  stateUnusable: {
    message: 'The state directory cannot be used.',
    hint: 'It must be a directory of yours that you can write to.',
  },

  agentRunning: {
    message: 'An agent listens there already.',
    hint: 'Use that one, or give another path: vmux agent --socket PATH.',
  },
  agentSocketUnusable: {
    message: 'The agent cannot listen there.',
    hint: 'The directory of its socket must be yours, and closed to all others (chmod 700).',
  },
  bindRefused: {
    message: 'Refused: the program that asked showed a false proof of where it goes.',
    hint: 'Nothing was signed, and the phone was not asked. Something between you and the server may be lying.',
  },

  // ── pairing ──
  pairingPeerNotFound: {
    message: 'No phone is waiting to pair.',
    hint: 'Run "signer pair" on the phone, then "vmux pair" here; or give the address it prints: vmux pair --address HOST:PORT.',
  },
  pairingInterrupted: {
    message: 'The other device went away while pairing.',
    hint: 'Start the pairing again on both devices.',
  },
  pairingTampered: {
    message: 'The pairing exchange was tampered with.',
    hint: 'Someone may be on this network between the devices. Pair on another network.',
  },
  pairingMismatched: {
    message: 'The digits did not match.',
    hint: 'Nothing was paired. If you typed them correctly, someone may be between the devices: pair on another network.',
  },
  pairingDeclined: {
    message: 'The pairing was not confirmed on the headset.',
    hint: 'Nothing was paired.',
  },
  pairingExpired: {
    message: 'The pairing took longer than two minutes.',
    hint: 'Start it again on both devices.',
  },
  pairedWithItself: {
    message: 'The device met itself.',
    hint: 'The headset and the phone must have state directories of their own.',
  },
} as const satisfies Record<string, Failure>;

export type FailureReason = keyof typeof failures;

/** The action that notes why a flow ended. */
export const because = <Reason extends FailureReason>(reason: Reason) =>
  ({ type: 'noteFailure', params: { reason } }) as const;
