import { describe, expect, it } from 'vitest';
import {
  createActor,
  fromCallback,
  fromEventObservable,
  fromPromise,
  SimulatedClock,
  type AnyActorRef,
  type AnyStateMachine,
} from 'xstate';
import { NEVER } from 'rxjs';
import { connectionMachine } from '../../machines/headset/connection.machine.ts';
import { linkMachine } from '../../machines/headset/link.machine.ts';
import { signingMachine } from '../../machines/headset/signing.machine.ts';
import { headsetPairingMachine } from '../../machines/pairing/headset-pairing.machine.ts';
import { phonePairingMachine } from '../../machines/pairing/phone-pairing.machine.ts';
import { signerMachine } from '../../machines/phone/signer.machine.ts';
import { iphone } from '../support/story-headset.ts';
import { enabled, first } from '../support/story-signer.ts';

/** What the ports of a chart said that was started without its adapters. */
async function complaints(
  machine: AnyStateMachine,
  input: unknown,
  play: (actor: AnyActorRef, clock: SimulatedClock) => void = () => {},
): Promise<string[]> {
  const said: string[] = [];
  const clock = new SimulatedClock();
  const actor = createActor(machine, {
    input,
    clock,
    inspect: (inspected) => {
      if (inspected.type !== '@xstate.event' || inspected.actorRef !== actor) return;
      const { error } = inspected.event as { error?: unknown };
      if (error instanceof Error) said.push(error.message);
    },
  });
  actor.subscribe({ error: () => {} });
  actor.start();
  play(actor, clock);
  await new Promise((resolve) => setImmediate(resolve));
  actor.stop();
  return said;
}

const sends = (type: string) => (actor: AnyActorRef) => actor.send({ type });

const open = (actor: AnyActorRef) =>
  actor.send({ type: 'link.opened', linkId: 'link-1', deviceId: 'd', deviceName: 'D' });

const missing = (...ports: string[]) => ports.map((port) => `port "${port}" was not provided`);

describe('a chart that was not given its adapters says which one is missing', () => {
  it('connection', async () => {
    const input = { flowId: 'f', host: 'h', port: null, user: null, preferred: null };
    expect(await complaints(connectionMachine, input)).toEqual([]);
    expect(await complaints(connectionMachine, input, sends('user.connect'))).toEqual(
      missing('ssh', 'link'),
    );
  });

  it('signing', async () => {
    const input = {
      flowId: 'f',
      requestId: 'r',
      fingerprint: 'SHA256:work',
      challengeHash: 'h',
      host: '',
      port: 0,
      user: 'u',
      code: '42',
      at: 0,
    };
    expect(await complaints(signingMachine, input)).toEqual(missing('link'));
  });

  it('link', async () => {
    const input = { phones: [iphone], remembered: [] };
    expect(await complaints(linkMachine, input, sends('app.started'))).toEqual(
      missing('browse', 'connector'),
    );
  });

  it('signer', async () => {
    const input = { port: 1, identities: [enabled('work')] };
    expect(await complaints(signerMachine, input)).toEqual(
      missing('advertiser', 'listener', 'pins'),
    );

    const advertiser = fromEventObservable(() => NEVER);
    const quiet = fromCallback(() => {});
    const listening = signerMachine.provide({
      actors: { advertiser, listener: quiet, pins: quiet } as never,
    });
    expect(await complaints(listening, input, open)).toEqual(missing('sheet'));

    const approve = (actor: AnyActorRef, clock: SimulatedClock) => {
      open(actor);
      actor.send({ type: 'request.received', ...first });
      clock.increment(700);
      actor.send({ type: 'user.code', ref: first.ref, code: first.code });
      actor.send({ type: 'user.approve', ref: first.ref });
    };
    const showing = listening.provide({ actors: { sheet: quiet } as never });
    expect(await complaints(showing, input, approve)).toEqual(missing('biometrics'));

    const verifying = showing.provide({
      actors: { biometrics: fromPromise(async () => ({ verdict: 'verified' })) } as never,
    });
    expect(await complaints(verifying, input, approve)).toEqual(missing('keys'));
  });

  it('headset pairing', async () => {
    const input = { deviceName: 'Vision Pro' };
    expect(await complaints(headsetPairingMachine, input)).toEqual([]);
    expect(await complaints(headsetPairingMachine, input, sends('user.pair'))).toEqual(
      missing('pairing'),
    );
  });

  it('phone pairing', async () => {
    const input = { deviceName: 'Ada’s iPhone' };
    expect(await complaints(phonePairingMachine, input)).toEqual([]);
    expect(await complaints(phonePairingMachine, input, sends('user.pair'))).toEqual(
      missing('pairing'),
    );
  });
});
