/**
 * The process's link to a phone: the link machine with its adapters, and the port through which a
 * flow (a connection, a signing) meets it.
 */
import { createHash } from 'node:crypto';
import { fromCallback, fromEventObservable } from 'xstate';
import type { NetworkInterface } from '../../adapters/discovery/interfaces.ts';
import type { DeviceIdentity } from '../../adapters/link/certificate.ts';
import { createConnector } from '../../adapters/link/connector.ts';
import type { RequestFact } from '../../adapters/link/request-facts.ts';
import type { RequestVault } from '../../adapters/ssh/request-vault.ts';
import { verifyIdentitySignature } from '../../adapters/keys/identity-signature.ts';
import { linkMachine } from '../../machines/headset/link.machine.ts';
import { refusalOf } from '../../machines/headset/link.setup.ts';
import type {
  BrowseInput,
  PeerFact,
  SignerLinkCommand,
  SignerLinkFact,
  SignerLinkInput,
} from '../../machines/headset/ports.ts';
import type { Endpoint, Phone, PublicIdentity } from '../../machines/ports.ts';
import { version } from '../version.ts';
import type { Running } from '../running.ts';
import { watchLog } from '../watch-log.ts';
import { browseLate } from './browse-late.ts';
import { metPhoneAt, pairedPhones, removePhone } from './records.ts';

export interface PhoneLinkParts {
  running: Running;
  identity: DeviceIdentity;
  vault: RequestVault;
  /** An address given by hand, dialled beside the remembered ones. */
  given: Endpoint | null;
  /** Where the phone is sought; every interface unless given. */
  interfaces?: () => NetworkInterface[];
}

export type PhoneLink = ReturnType<typeof startPhoneLink>;

type WithoutTime<Fact> = Fact extends { at: number } ? Omit<Fact, 'at'> : never;

/** Starts looking for a paired phone at once. */
export function startPhoneLink(parts: PhoneLinkParts) {
  const { running, identity, vault, given, interfaces } = parts;
  const { log } = running;
  const phones = () => pairedPhones(log);
  const connector = createConnector({ identity, pairedPhones: phones, version: version() });
  running.onHalt(() => connector.close());

  const remembered = () => [
    ...(given === null ? [] : [given]),
    ...phones().flatMap(({ endpoint }) => (endpoint === null ? [] : [endpoint])),
  ];
  const named = (): Phone[] => phones().map(({ id, name }) => ({ id, name }));

  const link = running.start(
    'link',
    linkMachine.provide({
      actors: {
        browse: fromEventObservable<PeerFact, BrowseInput>(({ input }) =>
          browseLate({ ...input, interfaces }),
        ),
        connector: connector.actor,
      },
    }),
    { phones: named(), remembered: remembered() },
  );

  let known = link.actor.getSnapshot().context;
  link.actor.subscribe(({ context, value }) => {
    if (isUp(value) && context.phone !== null && context.endpoint !== null) {
      if (known.endpoint !== context.endpoint) metPhoneAt(log, context.phone.id, context.endpoint);
    }
    const forgotten = known.phones.find(({ id }) => !context.phones.some((one) => one.id === id));
    if (forgotten !== undefined && phones().some(({ id }) => id === forgotten.id)) {
      removePhone(log, forgotten.id, 'phone');
    }
    known = context;
  });

  let pairings = JSON.stringify(named());
  const stopWatching = watchLog(log, () => {
    const now = JSON.stringify(named());
    if (now === pairings) return;
    pairings = now;
    connector.recheckPins();
    link.deliver({ type: 'phones.changed', phones: named(), remembered: remembered() });
  });

  link.deliver({ type: 'app.started' });
  return {
    link,
    /** Forgets a phone and tells it, if it is linked. */
    unpair(id: string) {
      connector.unpairNotice(id);
      removePhone(log, id, 'headset');
    },
    /** The `link` port of connections and signings. */
    port: fromCallback<SignerLinkCommand, SignerLinkInput>(({ receive, sendBack }) => {
      const requests = new Map<string, PublicIdentity | undefined>();
      const report = (fact: WithoutTime<SignerLinkFact>) =>
        sendBack({ ...fact, at: performance.now() });

      let upWith = '';
      function reportLink(): void {
        const { context, value } = link.actor.getSnapshot();
        const { phone, identities } = context;
        const now = isUp(value) && phone !== null ? JSON.stringify([phone, identities]) : '';
        if (now === upWith) return;
        upWith = now;
        if (now === '' || phone === null) report({ type: 'link.lost' });
        else report({ type: 'link.up', phone, identities });
      }
      function reportDeadEnd(): void {
        const { context, value } = link.actor.getSnapshot();
        const refusal = refusalOf(context);
        if (value === 'down') report({ type: 'link.unusable', reason: 'noPhonePaired' });
        else if (isSearching(value, 'refused') && refusal !== null) {
          report({ type: 'link.unusable', reason: refusal });
        } else if (isSearching(value, 'quiet')) report({ type: 'link.nothingFound' });
      }

      const watching = link.actor.subscribe(() => {
        reportLink();
        reportDeadEnd();
      });
      const facts = connector.requestFacts.subscribe((fact) => {
        if (!requests.has(fact.requestId)) return;
        if (fact.type === 'signed') return report(takeSignature(fact));
        const { type, ...rest } = fact;
        report({ type: `signer.${type}`, ...rest } as WithoutTime<SignerLinkFact>);
      });

      /** Only a signature that verifies over the challenge goes on. */
      function takeSignature(fact: RequestFact & { type: 'signed' }): WithoutTime<SignerLinkFact> {
        const { requestId, signature } = fact;
        const publicKey = requests.get(requestId)?.publicKey;
        const challenge = vault.challenge(requestId);
        const isGood =
          challenge !== null &&
          publicKey !== undefined &&
          verifyIdentitySignature(Buffer.from(publicKey, 'base64'), challenge, signature);
        const signatureHash = createHash('sha256').update(signature).digest('hex');
        if (isGood && vault.putSignature(requestId, signature)) {
          // It is its taker's from now on, to use and to erase.
          requests.delete(requestId);
          return { type: 'signer.signed', requestId, signatureHash };
        }
        signature.fill(0);
        return { type: 'signer.failed', requestId, reason: 'badSignature' };
      }

      receive((command) => {
        if (command.type === 'link.want') {
          if (isSearching(link.actor.getSnapshot().value, 'quiet', 'refused')) {
            link.deliver({ type: 'link.wanted' });
          } else reportDeadEnd();
        } else if (command.type === 'link.withdraw') {
          connector.withdraw(command.requestId);
          requests.delete(command.requestId);
        } else {
          const { type: _, phoneId: __, ...request } = command;
          const data = vault.challenge(request.requestId);
          const identity = link.actor
            .getSnapshot()
            .context.identities.find(({ fingerprint }) => fingerprint === request.fingerprint);
          requests.set(request.requestId, identity);
          const binds = vault.binds(request.requestId);
          const isSent = data !== null && connector.sign({ ...request, data, binds });
          if (!isSent) report({ type: 'link.lost' });
        }
      });
      // After the machine's own start, so that this flow learns of a link that is up already.
      queueMicrotask(reportLink);
      return () => {
        watching.unsubscribe();
        facts.unsubscribe();
        for (const requestId of requests.keys()) vault.erase(requestId);
      };
    }),
    /** Says goodbye to the phone and ends the machine; resolves when the frames have left. */
    async close() {
      stopWatching();
      await connector.close();
      link.stop();
    },
  };
}

type LinkValue = ReturnType<typeof linkMachine.transition>['value'];

const isUp = (value: LinkValue) => typeof value === 'object' && value.active === 'up';

function isSearching(value: LinkValue, ...within: ('quiet' | 'refused')[]): boolean {
  if (typeof value !== 'object' || typeof value.active !== 'object') return false;
  const { searching } = value.active;
  return within.some((state) => state === searching);
}
