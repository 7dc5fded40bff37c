import { describe, expect, it } from 'vitest';
import type { Place } from '../../app/inspector/protocol.ts';
import { recordedDevice, stopTime, tell } from './recorded-devices.ts';
import { CONNECTION, IDS, recordLogin, SIGNER } from './recorded-login.ts';

const onHeadset = (version: number): Place => ({ device: 'headset', stream: CONNECTION, version });
const onPhone = (version: number): Place => ({ device: 'phone', stream: SIGNER, version });

const outcomes = (accepts: { type: string; leadsTo: string }[]) =>
  Object.fromEntries(accepts.map(({ type, leadsTo }) => [type, leadsTo]));

const clock = 'xstate.after.signerTimeout.connection.session.awaitingSigner';

describe('while the sheet is in front of the person', () => {
  it('the headset reacts to these events, and each leads there', async () => {
    stopTime();
    const { headset } = await recordLogin();
    const { accepts, ignores } = await headset.source.whatIf(onHeadset(8));
    expect(outcomes(accepts)).toEqual({
      'signer.signed': 'signed',
      'signer.denied': 'denied',
      'signer.expired': 'timedOut',
      'signer.failed': 'failed',
      'link.lost': 'discovering',
      [clock]: 'timedOut',
      'user.cancel': 'disconnected',
      'ssh.resolved': 'awaitingFaceId',
      'ssh.failed': 'failed',
      'ssh.permissionDenied': 'failed',
      'ssh.closed': 'failed',
      'link.up': 'awaitingFaceId',
      'xstate.error.actor.ssh': 'failed',
      'xstate.error.actor.link': 'failed',
    });
    expect(ignores).toEqual([
      'user.connect',
      'ssh.hostKeyKnown',
      'ssh.hostKeyUnknown',
      'ssh.hostKeyChanged',
      'ssh.hostKeyRevoked',
      'ssh.publickeyWanted',
      'ssh.publickeyNotOffered',
      'ssh.authenticated',
      'user.acceptHostKey',
      'user.rejectHostKey',
      'link.nothingFound',
      'link.unusable',
      'ssh.identityAccepted',
      'ssh.identityRefused',
      'signer.queued',
      'signer.unseen',
      'signer.presented',
      'user.reconnect',
    ]);
  });

  it('an event that was recorded is the example, about the request that is asked now', async () => {
    stopTime();
    const { headset } = await recordLogin();
    const { accepts } = await headset.source.whatIf(onHeadset(8));
    const example = accepts.find(({ type }) => type === 'signer.signed')?.event;
    expect(example).toMatchObject({ requestId: IDS.request, signatureHash: 'signature' });
    const made = accepts.find(({ type }) => type === 'signer.denied')?.event;
    expect(made).toMatchObject({ requestId: IDS.request, why: 'denied' });
  });

  it('firing one, or several, moves a copy and nothing else', async () => {
    stopTime();
    const { headset } = await recordLogin();
    const { source, log } = headset;
    const before = [await source.views([onHeadset(8)]), log.head()];
    const denied = { type: 'signer.denied', at: 1, requestId: IDS.request, why: 'denied' };
    const { view, next } = await source.tryEvents(onHeadset(8), [denied]);
    expect(outcomes(next.accepts)).toEqual({ 'user.reconnect': 'handshaking' });
    expect(view).toMatchObject({
      stream: CONNECTION,
      value: 'denied',
      context: { reason: 'denied' },
      active: ['connection', 'denied'],
      taken: ['connection.session.awaitingSigner.awaitingFaceId on signer.denied'],
      ignored: false,
    });
    const again = await source.tryEvents(onHeadset(8), [denied, { type: 'user.reconnect' }]);
    expect(again.view).toMatchObject({
      value: { session: 'handshaking' },
      clocks: [{ delay: 'handshakeTimeout', milliseconds: 20_000 }],
    });
    expect([await source.views([onHeadset(8)]), log.head()]).toEqual(before);
  });

  it('the clock can run out', async () => {
    stopTime();
    const { headset } = await recordLogin();
    const { view } = await headset.source.tryEvents(onHeadset(8), [{ type: clock }]);
    expect(view).toMatchObject({
      value: 'timedOut',
      context: { reason: 'notApproved' },
    });
  });

  it('the phone reacts to its person, and every example can be fired as it is', async () => {
    stopTime();
    const { phone } = await recordLogin();
    const { accepts } = await phone.source.whatIf(onPhone(7));
    expect(outcomes(accepts)).toMatchObject({
      'user.approve': 'verifyingUser',
      'user.deny': 'idle',
      'request.withdrawn': 'idle',
      'request.expired': 'idle',
      'link.closed': 'advertising',
      'phone.suspended': 'asleep',
      'device.muted': 'idle',
    });
    for (const { type, event, leadsTo } of accepts) {
      const { view } = await phone.source.tryEvents(onPhone(7), [{ ...event, type }]);
      expect(view.ignored, type).toBe(false);
      expect(JSON.stringify(view.value), type).toContain(`"${leadsTo}"`);
    }
  });
});

describe('what cannot happen', () => {
  it('before the beginning and after the end nothing is accepted', async () => {
    stopTime();
    const { headset } = await recordLogin();
    expect(await headset.source.whatIf(onHeadset(0))).toEqual({ accepts: [], ignores: [] });
    expect((await headset.source.whatIf(onHeadset(12))).accepts).toEqual([]);
    expect((await headset.source.whatIf(onHeadset(12))).ignores).toContain('user.reconnect');
  });

  it('an event that the state ignores leads nowhere, and says so', async () => {
    stopTime();
    const { headset } = await recordLogin();
    const { view } = await headset.source.tryEvents(onHeadset(8), [{ type: 'user.connect' }]);
    expect(view).toMatchObject({ ignored: true, taken: [] });
  });

  it('the machine is neither begun nor stopped by what is tried', async () => {
    stopTime();
    const { headset } = await recordLogin();
    for (const type of ['xstate.init', 'xstate.stop', '*']) {
      await expect(headset.source.tryEvents(onHeadset(8), [{ type }])).rejects.toMatchObject({
        status: 400,
      });
    }
  });

  it('an event without what its chart needs is refused in a sentence', async () => {
    stopTime();
    const { source, start } = recordedDevice('phone');
    const { signerMachine } = await import('../../machines/phone/signer.machine.ts');
    const signer = start('signer', signerMachine, { port: 1, identities: [] }, 'one');
    tell(signer, 1, { type: 'link.opened', linkId: 'l', deviceId: 'd', deviceName: 'n' });
    const place: Place = { device: 'phone', stream: 'signer/one', version: 2 };
    await expect(source.tryEvents(place, [{ type: 'request.received' }])).rejects.toMatchObject({
      status: 422,
      message: 'the chart cannot take an event of that shape',
    });
  });

  it('a flow that was recorded by another release of the chart is still listed and read', async () => {
    stopTime();
    const { log, source } = recordedDevice('headset');
    const input = { flowId: 'f', host: 'bench', port: null, user: null, preferred: null };
    log.append('connection/old', 0, [
      { type: 'xstate.init', data: { input } },
      { type: 'user.connect', data: {} },
      { type: 'ssh.hostKeyKnown', v: 2, data: {} },
    ]);
    expect(await source.flows()).toMatchObject([{ id: 'connection/old', outcome: null }]);
    expect((await source.flow('connection/old')).rows).toHaveLength(3);
    const old: Omit<Place, 'version'> = { device: 'headset', stream: 'connection/old' };
    await expect(source.views([{ ...old, version: 3 }])).rejects.toMatchObject({ status: 422 });
    expect(await source.views([{ ...old, version: 2 }])).toMatchObject([
      { value: { session: 'handshaking' } },
    ]);
  });
});
