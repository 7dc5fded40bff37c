import { describe, expect, it } from 'vitest';
import {
  connect,
  handedOver,
  home,
  iphone,
  justConnecting,
  offered,
  requested,
  untilConnected,
  untilOffering,
  untilSent,
  untilShown,
  untilSigned,
  untilWanted,
  wanted,
  withdrawn,
  work,
} from '../support/story-headset.ts';
import { untilSigning, untilVerifying } from '../support/story-signer.ts';

const toWanted = ['idle', 'handshaking', 'discovering'];
const toOffering = [...toWanted, 'offering'];
const toSent = [...toOffering, 'challengeSent'];
const toShown = [...toSent, 'awaitingFaceId'];
const toSigned = [...toShown, 'signed'];
const toConnected = [...toSigned, 'connected'];

describe('What Happens When You Connect', () => {
  it('1. You tap Connect in the headset.', () => {
    const flow = connect({ port: 2222, user: 'ada' });
    expect(flow.states()).toEqual(['idle']);
    expect(flow.ports.ssh.inputs).toEqual([]);

    flow.person('user.connect');

    expect(flow.states()).toEqual(['idle', 'handshaking']);
    expect(flow.ports.ssh.inputs).toEqual([{ host: 'server.example', port: 2222, user: 'ada' }]);
    expect(flow.ports.link.inputs).toEqual([{ flowId: 'flow-1' }]);
  });

  it('2. vmux begins the SSH handshake with your remote server.', () => {
    const flow = connect();
    flow.person('user.connect');
    flow.ssh('ssh.resolved', { hostname: '192.0.2.7', port: 22, user: 'ada' });
    flow.ssh('ssh.hostKeyKnown', { fingerprint: 'SHA256:host', keyType: 'ssh-ed25519' });

    expect(flow.states()).toEqual(['idle', 'handshaking']);
    expect(flow.context().server).toEqual({ hostname: '192.0.2.7', port: 22, user: 'ada' });
    expect(flow.context().hostKey).toEqual({ fingerprint: 'SHA256:host', keyType: 'ssh-ed25519' });
    expect(flow.sent).toEqual({ ssh: [], link: [] });
  });

  it('3. The server asks for an authentication signature.', () => {
    const flow = untilWanted();
    expect(flow.states()).toEqual(toWanted);
    expect(flow.sent.ssh).toEqual([]);
  });

  it('4. vmux looks for a paired iPhone.', () => {
    const flow = untilWanted();
    expect(flow.sent).toEqual({ ssh: [], link: [wanted] });

    flow.wait(900);
    flow.phone('link.up', { phone: iphone, identities: [work, home] });

    expect(flow.states()).toEqual(toOffering);
    expect(flow.sent).toEqual({ ssh: [offered(work, home)], link: [wanted] });
  });

  it('5. vmux sends the signing challenge to your iPhone over an encrypted session.', () => {
    const flow = untilOffering();
    flow.wait(1_234);
    flow.ssh('ssh.identityAccepted', {
      fingerprint: 'SHA256:work',
      requestId: 'request-1',
      challengeHash: 'hash-1',
      code: '42',
    });

    expect(flow.states()).toEqual(toSent);
    expect(flow.sent.link).toEqual([wanted, requested({ ttl: 8_516 })]);
    expect(flow.context().request).toEqual({
      requestId: 'request-1',
      fingerprint: 'SHA256:work',
      challengeHash: 'hash-1',
      code: '42',
      phoneId: 'phone-1',
      outstanding: true,
    });
  });

  it.each([
    ['the port and user that the name stands for', { port: 2_200, user: 'root' }],
    ['the port and user that were typed, while nobody has said more', null],
  ])('5. and names %s.', (_, resolved) => {
    const flow = connect({ port: 2_222, user: 'ada' });
    flow.person('user.connect');
    if (resolved !== null) flow.ssh('ssh.resolved', { hostname: '192.0.2.7', ...resolved });
    flow.ssh('ssh.publickeyWanted', { methods: ['publickey'] });
    flow.phone('link.up', { phone: iphone, identities: [work] });
    flow.ssh('ssh.identityAccepted', {
      fingerprint: 'SHA256:work',
      requestId: 'request-1',
      challengeHash: 'hash-1',
      code: '42',
    });
    expect(flow.sent.link).toEqual([wanted, requested(resolved ?? { port: 2_222, user: 'ada' })]);
  });

  it('6. The iPhone shows a sheet describing the request.', () => {
    const flow = untilShown();
    expect(flow.states()).toEqual(toShown);
    expect(flow.sent).toEqual({ ssh: [offered(work, home)], link: [wanted, requested()] });
  });

  it('7. You approve with Face ID.', () => {
    const phone = untilVerifying();
    expect(phone.states()).toEqual([
      'advertising',
      'idle',
      'settling',
      'deciding',
      'verifyingUser',
    ]);
    expect(phone.biometrics.inputs).toEqual([
      { ref: 'headset-1/request-1', fingerprint: 'SHA256:work' },
    ]);
    expect(phone.keys.inputs).toEqual([]);
  });

  it('8. The iPhone signs the challenge and returns the signature.', async () => {
    const phone = await untilSigning();
    expect(phone.keys.inputs).toEqual([
      { ref: 'headset-1/request-1', fingerprint: 'SHA256:work', challengeHash: 'hash-1' },
    ]);
    await phone.keys.resolve({ signatureHash: 'signature-1' });

    expect(phone.states()).toEqual([
      'advertising',
      'idle',
      'settling',
      'deciding',
      'verifyingUser',
      'signing',
      'idle',
    ]);
    expect(phone.sent.listener.at(-1)).toEqual({
      type: 'listener.answer',
      ref: 'headset-1/request-1',
      linkId: 'link-1',
      answer: { outcome: 'signed' },
    });
  });

  it('9. vmux passes the signature back to the SSH server. The connection completes.', () => {
    const flow = untilSigned();
    expect(flow.states()).toEqual(toSigned);
    expect(flow.sent.ssh).toEqual([offered(work, home), handedOver]);

    flow.ssh('ssh.authenticated');

    expect(flow.states()).toEqual(toConnected);
    expect(flow.sent).toEqual({
      ssh: [offered(work, home), handedOver],
      link: [wanted, requested()],
    });
    expect(flow.context().reason).toBeNull();
  });
});

describe('On follow-up reconnects within the same session', () => {
  it('the link stays open: discovering is only passed through, and the phone still asks', () => {
    const flow = untilConnected();
    flow.ssh('ssh.closed', { status: 0, signal: null, detail: '' });
    flow.person('user.reconnect');
    flow.phone('link.up', { phone: iphone, identities: [work, home] });
    flow.ssh('ssh.publickeyWanted', { methods: ['publickey'] });
    flow.ssh('ssh.identityAccepted', {
      fingerprint: 'SHA256:work',
      requestId: 'request-2',
      challengeHash: 'hash-2',
      code: '17',
    });
    flow.phone('signer.presented', { requestId: 'request-2' });

    expect(flow.states()).toEqual([
      ...toConnected,
      'disconnected',
      'handshaking',
      'discovering',
      'offering',
      'challengeSent',
      'awaitingFaceId',
    ]);
    expect(flow.sent.link.slice(2)).toEqual([
      wanted,
      requested({ requestId: 'request-2', code: '17', user: '', port: 0 }),
    ]);
  });

  it('nothing of the attempt before is remembered', () => {
    const flow = untilShown(connect({ user: 'ada' }));
    flow.phone('signer.denied', { requestId: 'request-1', why: 'denied' });
    flow.person('user.reconnect');

    expect(flow.context()).toEqual({
      flowId: 'flow-1',
      host: 'server.example',
      port: null,
      user: 'ada',
      preferred: null,
      signerTimeout: 10_000,
      queueTimeout: 60_000,
      phone: null,
      identities: [],
      wasLinked: false,
      request: null,
      deadline: null,
      reason: null,
      server: null,
      hostKey: null,
      refused: [],
      exit: null,
      detail: null,
    });
  });

  it.each([
    ['denied', () => deniedFlow()],
    ['timedOut', () => timedOutFlow()],
    ['failed', () => failedFlow()],
    ['disconnected', () => cancelledFlow()],
  ])('You can tap Reconnect to try again: %s', (state, begin) => {
    const flow = begin();
    expect(flow.states().at(-1)).toBe(state);
    expect(flow.ports.ssh.running()).toBe(0);
    expect(flow.ports.link.running()).toBe(0);
    const before = flow.ports.ssh.inputs.length;

    flow.person('user.connect');
    expect(flow.states().at(-1)).toBe(state);

    flow.person('user.reconnect');
    expect(flow.states().slice(-2)).toEqual([state, 'handshaking']);
    expect(flow.ports.ssh.inputs.length).toBe(before + 1);
    expect(flow.words()).toEqual([]);
  });
});

function deniedFlow() {
  const flow = untilShown();
  flow.phone('signer.denied', { requestId: 'request-1', why: 'denied' });
  return flow;
}

function timedOutFlow() {
  const flow = untilShown();
  flow.wait(10_000);
  return flow;
}

function failedFlow() {
  const flow = untilSigned();
  flow.ssh('ssh.permissionDenied', { methods: ['publickey'] });
  return flow;
}

function cancelledFlow() {
  const flow = untilShown();
  flow.person('user.cancel');
  return flow;
}

describe('What You See on the Headset', () => {
  it('the clock runs from the server’s question to the approval: ten seconds', () => {
    const flow = untilWanted();
    flow.wait(3_000);
    flow.phone('link.up', { phone: iphone, identities: [work] });
    flow.wait(3_000);
    flow.ssh('ssh.identityAccepted', {
      fingerprint: 'SHA256:work',
      requestId: 'request-1',
      challengeHash: 'hash-1',
      code: '42',
    });
    flow.wait(3_000);
    flow.phone('signer.presented', { requestId: 'request-1' });
    flow.wait(999);
    expect(flow.states()).toEqual(toShown);
    flow.wait(1);

    expect(flow.states()).toEqual([...toShown, 'timedOut']);
    expect(flow.sent.link).toEqual([wanted, requested({ ttl: 3_750 }), withdrawn]);
  });

  it('a host may have a time of its own', () => {
    const flow = untilShown(connect({ signerTimeout: 30_000, queueTimeout: 5_000 }));
    expect(flow.sent.link).toEqual([
      wanted,
      requested({ ttl: 29_750, queueTtl: 4_750, sheetTtl: 29_750 }),
    ]);
    flow.wait(29_999);
    expect(flow.states()).toEqual(toShown);
    flow.wait(1);
    expect(flow.states()).toEqual([...toShown, 'timedOut']);
  });

  it('a signature after the headset’s time-out goes nowhere', () => {
    const flow = timedOutFlow();
    flow.phone('signer.signed', { requestId: 'request-1', signatureHash: 'signature-1' });
    flow.ssh('ssh.authenticated');

    expect(flow.states()).toEqual([...toShown, 'timedOut']);
    expect(flow.sent.ssh).toEqual([offered(work, home)]);
    expect(flow.sent.link).toEqual([wanted, requested(), withdrawn]);
  });

  it('a request with hardly any time left still has one millisecond', () => {
    const flow = untilOffering(connect({ signerTimeout: 200, queueTimeout: 100 }));
    flow.ssh('ssh.identityAccepted', {
      fingerprint: 'SHA256:work',
      requestId: 'request-1',
      challengeHash: 'hash-1',
      code: '42',
    });
    expect(flow.sent.link).toEqual([wanted, requested({ ttl: 1, queueTtl: 1, sheetTtl: 1 })]);
  });

  it.each([
    ['while the SSH handshake runs', () => justConnecting(), []],
    ['while the phone is looked for', () => untilWanted(), [wanted]],
    ['while the server is asked', () => untilOffering(), [wanted]],
    ['while the request is on its way', () => untilSent(), [wanted, requested(), withdrawn]],
    ['while the sheet is shown', () => untilShown(), [wanted, requested(), withdrawn]],
    ['once the phone has answered', () => untilSigned(), [wanted, requested()]],
  ])('cancelling withdraws the request from the phone: %s', (_, begin, commands) => {
    const flow = begin();
    const before = flow.states();
    flow.person('user.cancel');

    expect(flow.states()).toEqual([...before, 'disconnected']);
    expect(flow.sent.link).toEqual(commands);
    expect(flow.words()).toEqual([
      'Cancelled.',
      'The request was withdrawn from the phone; nothing was signed.',
    ]);
    expect(flow.ports.ssh.running()).toBe(0);
  });
});
