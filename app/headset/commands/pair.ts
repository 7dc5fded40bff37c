import { EMPTY, filter, from, mergeMap, of } from 'rxjs';
import { browse } from '../../../adapters/discovery/browse.ts';
import { createHeadsetPairing } from '../../../adapters/link/pairing/headset.ts';
import { headsetPairingMachine } from '../../../machines/pairing/headset-pairing.machine.ts';
import { expectArguments, parse, type Command } from '../../command-line.ts';
import { deviceIdentity } from '../../device-identity.ts';
import { deviceName } from '../../device-name.ts';
import { PAIRING_SERVICE_TYPE } from '../../pairing-service.ts';
import { begin } from '../../running.ts';
import { ask, forgetTypedAhead } from '../../terminal/ask.ts';
import { say } from '../../terminal/say.ts';
import { showForeign } from '../../terminal/foreign-text.ts';
import { Trouble } from '../../trouble.ts';
import { addPhone, forgetOffersOfNamesakes, pairedPhones } from '../records.ts';
import { parseEndpoint } from '../target.ts';

export const command: Command = {
  usage: '[--address HOST:PORT] [--name NAME]',
  summary: 'pair with a phone on which "signer pair" waits',
  help: `options:
  --address HOST:PORT   where "signer pair" waits, for networks without multicast
  --name NAME           what the phone calls this headset; its host name unless given`,
  run,
};

async function confirm(name: string, signal: AbortSignal): Promise<boolean> {
  await forgetTypedAhead();
  if (signal.aborted) return false;
  const answer = await ask(`the digits matched. pair with ${name}? (y/N) `, signal);
  return answer !== null && /^y(es)?$/i.test(answer.trim());
}

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, {
    address: { type: 'string' },
    name: { type: 'string' },
  });
  expectArguments(positionals, 0);
  const endpoints =
    values.address === undefined
      ? browse({ serviceType: PAIRING_SERVICE_TYPE }).pipe(
          filter((fact) => fact.type === 'peer.found'),
          mergeMap((fact) => (fact.type === 'peer.found' ? from(fact.endpoints) : EMPTY)),
        )
      : of(parseEndpoint(values.address));

  const running = begin('vmux');
  try {
    const identity = await deviceIdentity(running.home);
    let digits = '';
    const pairing = running.start(
      'headset-pairing',
      headsetPairingMachine.provide({
        actors: {
          pairing: createHeadsetPairing({
            identity,
            endpoints,
            onDigits: (six) => {
              digits = six;
            },
            store: (phone) => {
              const known = pairedPhones(running.log).find(({ pin }) => pin === phone.pin);
              const id = known?.id ?? crypto.randomUUID();
              addPhone(running.log, { id, ...phone });
              forgetOffersOfNamesakes(running.log, { id, name: phone.name });
              return id;
            },
          }),
        },
      }),
      { deviceName: deviceName(values.name) },
    );
    const over = new AbortController();
    const interrupt = () => pairing.deliver({ type: 'user.cancel' });
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt).once('SIGHUP', interrupt);
    say('looking for a phone on which "signer pair" waits… (Ctrl-C cancels)');

    const result = await new Promise<'paired' | Trouble>((resolve) => {
      let before: unknown = null;
      pairing.actor.subscribe((snapshot) => {
        const { value, context, status } = snapshot;
        const name = showForeign(context.peerName ?? '');
        if (status === 'done') {
          over.abort();
          resolve(value === 'paired' ? 'paired' : new Trouble(context.reason ?? 'internalError'));
          return;
        }
        const now = JSON.stringify(value);
        if (now === before) return;
        before = now;
        if (snapshot.matches({ pairing: 'comparing' })) {
          const shown = `${digits.slice(0, 3)} ${digits.slice(3)}`;
          say(`found ${name}\ntype these digits on the phone:  ${shown}`);
        }
        if (snapshot.matches({ pairing: 'confirming' })) {
          void confirm(name, over.signal).then((yes) =>
            pairing.deliver({ type: yes ? 'user.confirm' : 'user.decline' }),
          );
        }
      });
      void running.halted.then((error) => resolve(new Trouble('logUnavailable', error.message)));
      pairing.deliver({ type: 'user.pair' });
    });
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt).off('SIGHUP', interrupt);
    if (result !== 'paired') throw result;
    const { phone } = pairing.actor.getSnapshot().context;
    process.stdout.write(`paired with ${showForeign(phone?.name ?? '')}\n`);
    return 0;
  } finally {
    running.end();
  }
}
