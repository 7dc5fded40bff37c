/** Makes an example of an event one that a machine could get at this moment. */
import type { AnyEventObject } from 'xstate';
import type { AwaitingSignerContext } from '../../machines/headset/awaiting-signer.ts';
import type { SignerContext } from '../../machines/phone/signer.context.ts';

type Known = Partial<AwaitingSignerContext> & Partial<SignerContext>;

/**
 * The same event at `at` of the process's clock, about the request, the link and the device that
 * `context` knows. Arrivals get an id that is new.
 */
export function fitting(event: AnyEventObject, context: unknown, at: number): AnyEventObject {
  const known = (context ?? {}) as Known;
  const changes: Record<string, unknown> = {};
  const set = (name: string, value: unknown) => {
    if (name in event && value !== undefined) changes[name] = value;
  };
  set('at', at);
  if (event.type.startsWith('signer.')) set('requestId', known.request?.requestId);
  if (event.type.startsWith('ssh.identity')) set('fingerprint', fingerprintFor(event, known));
  const onSheet = known.queue?.[0];
  const link = known.links?.at(-1);
  set('deviceId', link?.deviceId);
  if (event.type === 'request.received' || event.type === 'request.unreadable') {
    set(
      'ref',
      fresh(
        String(event['ref']),
        known.queue?.map(({ ref }) => ref),
      ),
    );
    set('linkId', link?.linkId);
    set('fingerprint', fingerprintFor(event, known));
    return { ...event, ...changes };
  }
  if (event.type === 'link.opened') {
    set(
      'linkId',
      fresh(
        String(event['linkId']),
        known.links?.map(({ linkId }) => linkId),
      ),
    );
    return { ...event, ...changes };
  }
  set('linkId', link?.linkId);
  set('ref', onSheet?.ref);
  set('code', event.type === 'user.code' ? onSheet?.code : undefined);
  return { ...event, ...changes };
}

/** The event's own if it is among the identities that are known, else the first of those. */
function fingerprintFor(event: AnyEventObject, { identities }: Known): unknown {
  const own: unknown = event['fingerprint'];
  const isKnown = identities?.some(({ fingerprint }) => fingerprint === own) ?? true;
  return isKnown ? own : (identities?.[0]?.fingerprint ?? own);
}

function fresh(id: string, taken: string[] | undefined): string {
  return taken?.includes(id) ? fresh(`${id}-again`, taken) : id;
}
