import { expectArguments, parse, type Command } from '../../command-line.ts';
import { showForeign, showJson } from '../../terminal/foreign-text.ts';
import { WrongUsage } from '../../trouble.ts';
import { createIdentity } from '../create-identity.ts';
import { findIdentity } from '../find-identity.ts';
import { installIdentity } from '../install-identity.ts';
import { openLog } from '../../running.ts';
import { homeOf } from '../../home.ts';
import { publicKeyLine } from '../../../adapters/keys/public-key.ts';
import type { AllowedDestination } from '../../../machines/phone/policy.ts';
import { parseTarget } from '../../headset/target.ts';
import { hostPins } from '../host-pins.ts';
import { placeWords } from '../holding.ts';
import { changeIdentity, identities, lockIdentity, type Identity } from '../records.ts';
import { removeIdentity } from '../remove-identity.ts';

export const command: Command = {
  usage:
    'create LABEL | list | enable LABEL | disable LABEL | allow LABEL HOST… | remove LABEL | public-key LABEL | install LABEL user@host',
  summary: 'the keys that this phone signs with',
  help: `  signer identity create LABEL                a new P-256 key, sealed under a passphrase
  signer identity list [--json]
  signer identity enable|disable LABEL        disabled ones are neither offered nor used
  signer identity allow LABEL [user@]HOST…    logs in there only, and only with proof (signer hosts);
                                              allow LABEL anywhere ends that
  signer identity remove LABEL                for good: nobody can bring the key back
  signer identity public-key LABEL            the line for authorized_keys
  signer identity install LABEL user@host [--port PORT]
                                              append it there over your existing login, and prove it

LABEL may also be a fingerprint (SHA256:…).`,
  run,
};

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, {
    json: { type: 'boolean', default: false },
    port: { type: 'string' },
  });
  const [action = 'list', label = '', where = ''] = positionals;
  const actions: Record<string, { arguments: [number, number]; run: () => Promise<number> }> = {
    create: { arguments: [2, 2], run: () => createIdentity(label) },
    list: { arguments: [0, 1], run: async () => list(values.json) },
    enable: { arguments: [2, 2], run: async () => change(label, 'enabled') },
    disable: { arguments: [2, 2], run: async () => change(label, 'disabled') },
    allow: { arguments: [3, 64], run: async () => allow(label, positionals.slice(2)) },
    remove: { arguments: [2, 2], run: () => remove(label) },
    'public-key': { arguments: [2, 2], run: async () => publicKey(label) },
    install: { arguments: [3, 3], run: () => installIdentity(label, where, values.port ?? null) },
  };
  const chosen = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (chosen === undefined) throw new WrongUsage(`unknown action: ${showForeign(action)}`);
  expectArguments(positionals, ...chosen.arguments);
  return chosen.run();
}

function list(json: boolean): number {
  const log = openLog('signer');
  const own = identities(log);
  log.close();
  if (json) process.stdout.write(`${showJson(own, 2)}\n`);
  else if (own.length === 0) {
    process.stdout.write('no identity yet\nhint: signer identity create LABEL\n');
  } else for (const identity of own) process.stdout.write(`${identityLine(identity)}\n`);
  return 0;
}

function identityLine(identity: Identity): string {
  const { label, fingerprint, algorithm, enabled, createdAt, allowed, holding } = identity;
  const since = new Date(createdAt).toISOString().slice(0, 10);
  const state = enabled ? 'enabled ' : 'disabled';
  return `${showForeign(label).padEnd(16)}  ${state}  ${fingerprint}  ${algorithm}  ${since}  ${placeWords(holding)}${lockWords(allowed ?? [])}`;
}

function lockWords(allowed: AllowedDestination[]): string {
  const places = allowed.map(({ user, host, port }) => {
    const at = user === null ? '' : `${showForeign(user)}@`;
    return `${at}${showForeign(host, 80)}${port === null ? '' : `:${port}`}`;
  });
  return places.length === 0 ? '' : `  only for ${places.join(', ')}`;
}

/** What is allowed from now on, instead of what was. */
function allow(label: string, places: string[]): number {
  const allowed =
    places.length === 1 && places[0] === 'anywhere'
      ? []
      : places.map((place) => {
          const { user, host, port } = parseTarget(place);
          return { user, host, port };
        });
  const log = openLog('signer');
  try {
    const { fingerprint } = findIdentity(log, label);
    lockIdentity(log, fingerprint, allowed);
    const known = hostPins(log).map(({ name }) => name.toLowerCase());
    for (const { host } of allowed) {
      if (known.includes(host.toLowerCase())) continue;
      process.stderr.write(
        `hint: no host is known as ${showForeign(host, 80)} yet; until it is (signer hosts add), nothing is signed for it\n`,
      );
    }
  } finally {
    log.close();
  }
  return 0;
}

function change(label: string, to: 'enabled' | 'disabled'): number {
  const log = openLog('signer');
  try {
    const { fingerprint, enabled } = findIdentity(log, label);
    if (enabled !== (to === 'enabled')) changeIdentity(log, fingerprint, to);
  } finally {
    log.close();
  }
  return 0;
}

async function remove(label: string): Promise<number> {
  const log = openLog('signer');
  try {
    const { fingerprint } = findIdentity(log, label);
    await removeIdentity(log, homeOf('signer'), fingerprint);
  } finally {
    log.close();
  }
  process.stdout.write('removed; also take its line out of authorized_keys on your servers\n');
  return 0;
}

function publicKey(label: string): number {
  const log = openLog('signer');
  try {
    process.stdout.write(`${publicKeyLine(findIdentity(log, label))}\n`);
  } finally {
    log.close();
  }
  return 0;
}
