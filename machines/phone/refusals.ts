/** What is turned down without a sheet, whoever asks: the phone's rules, in the order they are told. */
import type { SignerFailure } from '../ports.ts';
import { badgeOf, type HostPin } from './destination.ts';
import { isPinFor, type AllowedDestination } from './policy.ts';
import type { SignRequest } from './ports.ts';
import { identityOf, type SignerContext } from './signer.context.ts';

/** Requests that may wait, the one on the sheet included. */
export const MAX_QUEUE = 96;
/** Of one device: what it floods the queue with, another's request does not meet. */
export const MAX_QUEUE_A_DEVICE = 24;

/** Why a request that arrives gets no sheet; `null`: it gets one. */
export function refusalOf(context: SignerContext, request: SignRequest): SignerFailure | null {
  const { queue, identities } = context;
  if (identityOf({ identities }, request.fingerprint) === undefined) return 'identityUnknown';
  const forbidden = forbiddenBy(context, request);
  if (forbidden !== null) return forbidden;
  const own = queue.filter(({ deviceId }) => deviceId === request.deviceId);
  const isFull = queue.length >= MAX_QUEUE || own.length >= MAX_QUEUE_A_DEVICE;
  return isFull ? 'phoneBusy' : null;
}

/** What the person has decided that speaks against a request, whether it waits already or not. */
export function forbiddenBy(context: SignerContext, request: SignRequest): SignerFailure | null {
  const { muted, cooling } = context;
  const identity = identityOf(context, request.fingerprint);
  if (!identity?.enabled) return 'identityDisabled';
  if (muted.includes(request.deviceId)) return 'deviceMuted';
  if (cooling.includes(request.deviceId)) return 'coolingDown';
  return forbiddenDestination(context, request, identity.allowed ?? []);
}

function forbiddenDestination(
  context: SignerContext,
  request: SignRequest,
  allowed: readonly AllowedDestination[],
): SignerFailure | null {
  const { pins, policy, hostboundHosts } = context;
  const { proof, kind } = request;
  const { hops, strength, host } = proof;
  const { badge } = badgeOf(pins, request);
  const isLogin = kind !== 'sshsig';
  const isForwarded = hops.length > 0;

  if (badge === 'changed') return 'destinationChanged';
  if (isForwarded && policy.forwarding === 'never') return 'forwardingRefused';
  if (isForwarded && isLogin && strength !== 'bound') return 'forwardedUnproven';
  if (isForwarded && policy.forwarding === 'listed' && !areListed(context, request)) {
    return 'hopNotListed';
  }
  if (policy.requireProof && isLogin && (strength !== 'bound' || badge === 'notProven')) {
    return 'proofRequired';
  }
  if (strength === 'vouched' && hostboundHosts.includes(host?.fingerprint ?? '')) {
    return 'vouchedRefused';
  }
  const isAllowed = allowed.length === 0 || allowed.some((one) => permits(pins, request, one));
  return isAllowed ? null : 'destinationNotAllowed';
}

function areListed({ pins, policy }: SignerContext, { proof }: SignRequest): boolean {
  const listed = policy.listed.map((name) => name.toLowerCase());
  return proof.hops.every(
    ({ fingerprint, proven }) =>
      proven &&
      pins.some(
        (pin) =>
          !pin.isCa && pin.fingerprint === fingerprint && listed.includes(pin.name.toLowerCase()),
      ),
  );
}

/** Only a proven key that is pinned under that very name counts, whatever the headset calls it. */
function permits(
  pins: readonly HostPin[],
  request: SignRequest,
  allowed: AllowedDestination,
): boolean {
  const { proof, user, host, port } = request;
  if (proof.strength !== 'bound') return false;
  if (allowed.user !== null && allowed.user !== user) return false;
  const key = proof.host?.fingerprint;
  if (pins.some((pin) => isPinFor(pin, allowed) && pin.fingerprint === key)) return true;
  const badge = badgeOf(pins, request);
  const isThatName = host.toLowerCase() === allowed.host.toLowerCase();
  const isThatPort = allowed.port === null || allowed.port === port;
  return badge.badge === 'known' && badge.isCertified && isThatName && isThatPort;
}
