import { publish } from '../../../adapters/discovery/publish.ts';
import { createPhonePairing } from '../../../adapters/link/pairing/phone.ts';
import {
  PAIRING_TRIES,
  phonePairingMachine,
} from '../../../machines/pairing/phone-pairing.machine.ts';
import { expectArguments, parse, type Command } from '../../command-line.ts';
import { deviceIdentity } from '../../device-identity.ts';
import { deviceName } from '../../device-name.ts';
import { PAIRING_SERVICE_TYPE } from '../../pairing-service.ts';
import { begin, type Running } from '../../running.ts';
import { ask } from '../../terminal/ask.ts';
import { say } from '../../terminal/say.ts';
import { showForeign } from '../../terminal/foreign-text.ts';
import { Trouble, WrongUsage } from '../../trouble.ts';
import { addHeadset, pairedHeadsets } from '../records.ts';

export const command: Command = {
  usage: '[--port PORT] [--listen ADDRESS] [--name NAME]',
  summary: 'wait two minutes for a headset (vmux pair) and pair with it',
  help: `options:
  --port PORT        TCP port to wait on; any free one unless given
  --listen ADDRESS   only on this address; 0.0.0.0 (all) unless given
  --name NAME        what the headset calls this phone; its host name unless given`,
  run,
};

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, {
    port: { type: 'string', default: '0' },
    listen: { type: 'string', default: '0.0.0.0' },
    name: { type: 'string' },
  });
  expectArguments(positionals, 0);
  const port = Number(values.port);
  if (!/^\d{1,5}$/.test(values.port) || port > 65_535) {
    throw new WrongUsage('a port is a number from 0 to 65535');
  }
  const running = begin('signer');
  try {
    return await pair(running, port, values.listen, deviceName(values.name));
  } finally {
    running.end();
  }
}

/** A headset that pairs again with the same key keeps its id, and the links it has. */
function store(running: Running, headset: { name: string; pin: string; certificatePem: string }) {
  const known = pairedHeadsets(running.log).find(({ pin }) => pin === headset.pin);
  const id = known?.id ?? crypto.randomUUID();
  addHeadset(running.log, { id, ...headset });
  return id;
}

async function pair(running: Running, port: number, host: string, name: string): Promise<number> {
  const pairing = createPhonePairing({
    identity: await deviceIdentity(running.home),
    store: (headset) => store(running, headset),
  });
  const listeningAt = await pairing.listen(port, host).catch((error: Error) => {
    throw new WrongUsage(`cannot wait there: ${error.message}`);
  });
  const published = publish({ serviceType: PAIRING_SERVICE_TYPE, port: listeningAt }).subscribe();
  const machine = running.start(
    'phone-pairing',
    phonePairingMachine.provide({ actors: { pairing: pairing.actor } }),
    { deviceName: name },
  );
  const interrupt = () => void machine.deliver({ type: 'user.cancel' });
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt).once('SIGHUP', interrupt);
  say(`waiting two minutes for a headset on port ${listeningAt}. run "vmux pair" there`);
  say(`hint: without multicast, vmux pair --address THIS-DEVICE:${listeningAt}`);

  const result = await new Promise<'paired' | Trouble>((resolve) => {
    let before = '';
    let question = new AbortController();
    machine.actor.subscribe((snapshot) => {
      const { value, context, status } = snapshot;
      if (status === 'done') {
        question.abort();
        resolve(value === 'paired' ? 'paired' : new Trouble(context.reason ?? 'internalError'));
        return;
      }
      const now = JSON.stringify([value, context.tries]);
      if (now === before) return;
      before = now;
      question.abort();
      question = new AbortController();
      if (snapshot.matches({ pairing: 'comparing' })) {
        void askDigits(context.peerName ?? '', question.signal);
      }
      if (snapshot.matches({ pairing: 'confirming' })) {
        say('the digits matched. confirm on the headset…');
      }
      if (snapshot.matches({ pairing: 'exchanging' }) && context.tries > 0) {
        const left = PAIRING_TRIES - context.tries;
        say(
          `that did not match (${left} ${left === 1 ? 'try' : 'tries'} left). run "vmux pair" on the headset again`,
        );
      }
    });
    void running.halted.then((error) => resolve(new Trouble('logUnavailable', error.message)));
    machine.deliver({ type: 'user.pair' });
  });

  async function askDigits(peerName: string, signal: AbortSignal): Promise<void> {
    say(`a headset that calls itself ${showForeign(peerName)} wants to pair`);
    for (;;) {
      const line = await ask('type the six digits that it shows: ', signal);
      if (signal.aborted) return;
      if (line === null) return interrupt();
      if (pairing.enterDigits(line)) return;
      say('six digits, please');
    }
  }

  process.off('SIGINT', interrupt).off('SIGTERM', interrupt).off('SIGHUP', interrupt);
  published.unsubscribe();
  await pairing.close();
  if (result !== 'paired') throw result;
  const { peerName } = machine.actor.getSnapshot().context;
  process.stdout.write(`paired with ${showForeign(peerName ?? '')}\n`);
  return 0;
}
