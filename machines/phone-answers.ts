/** Why a phone did not sign although it had the request: a part of `failures.ts`. */

export interface Failure {
  message: string;
  hint: string;
}

export const phoneAnswers = {
  denied: {
    message: 'The request was denied on the phone.',
    hint: 'Nothing was signed. Approve it next time.',
  },
  wrongPassphrase: {
    message: 'The request was denied on the phone: its owner could not be verified, three times.',
    hint: 'Nothing was signed. Reconnect; there, let Face ID see you, or type the passphrase of that identity.',
  },
  wrongCode: {
    message: 'The request was denied on the phone: another code was typed there, three times.',
    hint: 'Nothing was signed. Type the two digits beside “Waiting for iPhone signer…”; if they are not shown, see vmux agent requests.',
  },
  identityDisabled: {
    message: 'The phone refused: that identity is disabled.',
    hint: 'Enable it on the phone (signer identity enable LABEL), then retry.',
  },
  identityUnknown: {
    message: 'The phone refused: it does not hold that identity.',
    hint: 'The phone may have been wiped. Create an identity there and add its public key to the server.',
  },
  requestUnreadable: {
    message: 'The phone refused: it could not read what it was asked to sign.',
    hint: 'It signs only SSH login requests. Update vmux and signer to the same release.',
  },
  requestMismatch: {
    message: 'The phone refused: the request differs from what it claims to be.',
    hint: 'Nothing was signed. Do not use this headset until you know why.',
  },
  requestIdReused: {
    message: 'The phone refused: the request id was used before for something else.',
    hint: 'Nothing was signed. Reconnect to make a new request.',
  },
  phoneBusy: {
    message: 'The phone refused: too many requests are waiting there.',
    hint: 'Answer or deny those first, then retry.',
  },
  deviceMuted: {
    message: 'The phone refused: it takes no requests from this headset for now.',
    hint: 'Its owner has muted this headset; signer devices unmute NAME, there, ends that.',
  },
  coolingDown: {
    message: 'The phone refused: the last two requests were ignored there.',
    hint: 'It takes requests from this headset again in half a minute. Look at the phone then.',
  },
  proofInvalid: {
    message: 'The phone refused: the proof of where the login goes does not hold.',
    hint: 'Nothing was signed. Something between you and the server may be lying: do not go on until you know what.',
  },
  proofRequired: {
    message: 'The phone refused: nothing proves where the login goes.',
    hint: 'Its policy demands proof. Use OpenSSH 8.9 or later on both sides, or, there, signer policy require-proof off.',
  },
  destinationChanged: {
    message: 'The phone refused: the host key has CHANGED since the phone learnt it.',
    hint: 'Someone may be between you and the server. If the change is expected, run "signer hosts remove HOST" on the phone.',
  },
  destinationNotAllowed: {
    message: 'The phone refused: that identity is locked to other destinations.',
    hint: 'The phone must know the host key under a name that the lock has (signer identity list, signer hosts list).',
  },
  vouchedRefused: {
    message:
      'The phone refused: that host has proven its logins before, and this one is not proven.',
    hint: 'Nothing was signed. Another host may be using that one to log in somewhere else.',
  },
  forwardedUnproven: {
    message:
      'The phone refused: the request came through a forwarded agent and does not prove where it goes.',
    hint: 'Use ssh -J instead of ssh -A, or OpenSSH 8.9 or later on the host in between and on the server.',
  },
  forwardingRefused: {
    message: 'The phone refused: it takes no requests through a forwarded agent.',
    hint: 'Use ssh -J instead of ssh -A, or allow it there: signer policy forwarding ask.',
  },
  hopNotListed: {
    message: 'The phone refused: the agent was forwarded through a host that is not listed.',
    hint: 'List it there (signer policy listed add HOST), or use ssh -J instead of ssh -A.',
  },
  signingFailed: {
    message: 'The phone could not sign.',
    hint: 'Look at "signer log" on the phone. The sealed key may be damaged.',
  },
  verificationUnavailable: {
    message: 'The phone could not verify its owner.',
    hint: 'Look at "signer log" on the phone. The sealed key may be missing or damaged.',
  },
  badSignature: {
    message: 'The phone returned a signature that does not verify.',
    hint: 'It was not sent to the server. Look at "signer log" on the phone.',
  },
} as const satisfies Record<string, Failure>;
