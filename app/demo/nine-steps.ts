/**
 * The page's "What Happens When You Connect", told from what the machines of both devices recorded.
 *
 * Its words are kept but where they name what is not here: Multipeer Connectivity is DNS-SD and
 * TLS, and the Secure Enclave a sealed key.
 */
import { showForeign } from '../terminal/foreign-text.ts';
import type { Narrator, Speaker } from './narrator.ts';
import type { SeenEvent } from './witness.ts';

type Data = SeenEvent['data'];

/** What had been recorded under an event type when the step happened, oldest first. */
type Recorded = (type: string) => Data[];

interface Step {
  words: string | ((data: Data, recorded: Recorded) => string);
  /** The event that is this step. */
  event: { device: SeenEvent['device']; machine: string; type: string };
  /** One more line, of facts. */
  facts?: (data: Data, recorded: Recorded) => [Speaker, string];
}

const onHeadset = (type: string) => ({ device: 'headset', machine: 'connection', type }) as const;
const onPhone = (type: string) => ({ device: 'phone', machine: 'signer', type }) as const;

const steps: Step[] = [
  {
    words: 'You tap Connect in the headset.',
    event: onHeadset('user.connect'),
  },
  {
    words: 'vmux begins the SSH handshake with your remote server.',
    event: onHeadset('ssh.resolved'),
    facts: ({ user, hostname, port }) => [
      'headset',
      `${showForeign(String(user))}@${showForeign(String(hostname))} port ${String(port)}`,
    ],
  },
  {
    words: 'The server asks for an authentication signature.',
    event: onHeadset('ssh.publickeyWanted'),
    facts: ({ methods }) => ['server', `it takes ${showForeign((methods as string[]).join(', '))}`],
  },
  {
    words: (data, recorded) =>
      `vmux looks for a paired iPhone via ${wasDiscovered(data, recorded) ? 'DNS-SD' : 'its direct address'}. This usually takes under a second on a good network.`,
    event: { device: 'headset', machine: 'link', type: 'link.established' },
    facts: ({ phone, endpoint }) => {
      const { address, port } = endpoint as { address: string; port: number };
      const name = showForeign((phone as { name: string }).name);
      return ['headset', `linked with "${name}" at ${address} port ${port}`];
    },
  },
  {
    words: 'vmux sends the signing challenge to your iPhone over an encrypted TLS session.',
    event: onPhone('request.received'),
    facts: ({ challengeHash }, recorded) => {
      const sent = recorded('ssh.identityAccepted').at(-1)?.['challengeHash'];
      return ['both', sameHash('challenge', sent, challengeHash)];
    },
  },
  {
    words:
      'The iPhone shows a sheet describing the request: source device name (your headset), destination host, key fingerprint.',
    event: onPhone('sheet.shown'),
  },
  {
    words: 'You approve with Face ID.',
    event: onPhone('xstate.done.actor.biometrics'),
    facts: ({ output }) => [
      'phone',
      `a passphrase stands in for Face ID; it opened the sealed key: ${(output as { verdict: string }).verdict}`,
    ],
  },
  {
    words: 'The iPhone signs the challenge with its sealed key and returns the signature.',
    event: onHeadset('signer.signed'),
    facts: ({ signatureHash }, recorded) => {
      const made = recorded('xstate.done.actor.keys').at(-1)?.['output'];
      return [
        'both',
        sameHash('signature', (made as Data | undefined)?.['signatureHash'], signatureHash),
      ];
    },
  },
  {
    words:
      'vmux passes the signature back to the SSH server. The server verifies it. The connection completes.',
    event: onHeadset('ssh.authenticated'),
  },
];

export interface NineSteps {
  see(event: SeenEvent): void;
  /** How many were told; nine when the login is complete. */
  told(): number;
}

/**
 * Tells each step when its event has happened and the steps before it are told: the phone may be
 * found before the server asks. `shown` is called after the step of that number was told.
 */
export function tellNineSteps(narrator: Narrator, shown: (step: number) => void): NineSteps {
  const happened = new Map<Step, SeenEvent>();
  const history: SeenEvent[] = [];
  let start = 0;
  let told = 0;

  function tell(step: Step, event: SeenEvent): void {
    const { data, at } = event;
    const before = history.slice(0, history.indexOf(event));
    const recorded: Recorded = (type) =>
      before.filter((earlier) => earlier.type === type).map(({ data }) => data);
    const words = typeof step.words === 'string' ? step.words : step.words(data, recorded);
    told += 1;
    narrator.step(told, words, Math.max(0, at - start));
    const facts = step.facts?.(data, recorded);
    if (facts !== undefined) narrator.from(...facts);
    shown(told);
  }

  return {
    see(event) {
      history.push(event);
      if (event.type === 'user.connect' && start === 0) start = event.at;
      const seen = steps.find((step) => isSame(step.event, event));
      if (seen === undefined || happened.has(seen)) return;
      happened.set(seen, event);
      for (;;) {
        const next = steps[told];
        const its = next && happened.get(next);
        if (next === undefined || its === undefined) return;
        tell(next, its);
      }
    },
    told: () => told,
  };
}

function isSame(wanted: Step['event'], { device, machine, type }: SeenEvent): boolean {
  return wanted.device === device && wanted.machine === machine && wanted.type === type;
}

/** The address that answered is one that DNS-SD gave. */
function wasDiscovered({ endpoint }: Data, recorded: Recorded): boolean {
  const answered = endpoint as { address: string; port: number };
  return recorded('peer.found')
    .flatMap(({ endpoints }) => endpoints as (typeof answered)[])
    .some(({ address, port }) => address === answered.address && port === answered.port);
}

function sameHash(what: string, before: unknown, after: unknown): string {
  const verdict = before === after ? 'the same on both devices' : 'NOT the same on both devices';
  return `SHA-256 of the ${what}: ${String(after).slice(0, 16)}…, ${verdict}`;
}
