import { describe, expect, it } from 'vitest';
import {
  connect,
  handedOver,
  home,
  identity,
  iphone,
  offered,
  otherPhone,
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
    });

    expect(flow.states()).toEqual(toSent);
    expect(flow.sent.link).toEqual([wanted, requested({ ttl: 8_516 })]);
    expect(flow.context().request).toEqual({
      requestId: 'request-1',
      fingerprint: 'SHA256:work',
      challengeHash: 'hash-1',
      phoneId: 'phone-1',
      outstanding: true,
    });
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
      requested({ requestId: 'request-2', user: '' }),
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

function justConnecting() {
  const flow = connect();
  flow.person('user.connect');
  return flow;
}

describe('Multiple Identities', () => {
  const five = ['a', 'b', 'c', 'd', 'e'].map((label) => identity(label));
  const sixth = identity('f');

  it('the identity of the last login at this host is offered first', () => {
    const flow = untilWanted(connect({ preferred: 'SHA256:home' }));
    flow.phone('link.up', { phone: iphone, identities: [work, home] });
    expect(flow.sent.ssh).toEqual([offered(home, work)]);
  });

  it('at most five are offered, since each counts against the server’s patience', () => {
    const flow = untilWanted(connect({ preferred: 'SHA256:f' }));
    flow.phone('link.up', { phone: iphone, identities: [...five, sixth] });
    expect(flow.sent.ssh).toEqual([offered(sixth, ...five.slice(0, 4))]);
  });

  it('vmux uses whichever identity the server has in its authorized_keys file', () => {
    const flow = untilOffering();
    flow.ssh('ssh.identityRefused', { fingerprint: 'SHA256:work' });
    flow.ssh('ssh.identityAccepted', {
      fingerprint: 'SHA256:home',
      requestId: 'request-1',
      challengeHash: 'hash-1',
    });
    expect(flow.states()).toEqual(toSent);
    expect(flow.sent.ssh).toEqual([offered(work, home)]);
    expect(flow.sent.link).toEqual([wanted, requested({ fingerprint: 'SHA256:home' })]);
  });

  it('what the server refused is not offered again, and still counts', () => {
    const flow = untilWanted();
    flow.phone('link.up', { phone: iphone, identities: five });
    flow.ssh('ssh.identityRefused', { fingerprint: 'SHA256:a' });
    flow.ssh('ssh.identityRefused', { fingerprint: 'SHA256:b' });
    flow.phone('link.up', { phone: iphone, identities: [...five, sixth] });

    expect(flow.states()).toEqual(toOffering);
    expect(flow.sent.ssh).toEqual([offered(...five), offered(...five.slice(2))]);
    expect(flow.sent.link).toEqual([wanted]);
  });

  it('an identity enabled on the phone meanwhile is offered at once', () => {
    const flow = untilWanted();
    flow.phone('link.up', { phone: iphone, identities: [work] });
    flow.phone('link.up', { phone: iphone, identities: [home] });
    expect(flow.states()).toEqual(toOffering);
    expect(flow.sent.ssh).toEqual([offered(work), offered(home)]);
  });

  it('when the last identity is disabled, a new one is waited for', () => {
    const flow = untilOffering();
    flow.phone('link.up', { phone: iphone, identities: [] });
    expect(flow.states()).toEqual([...toOffering, 'discovering']);
    flow.ssh('ssh.identityRefused', { fingerprint: 'SHA256:work' });
    flow.phone('link.up', { phone: iphone, identities: [work, home] });

    expect(flow.states()).toEqual([...toOffering, 'discovering', 'offering']);
    expect(flow.sent).toEqual({
      ssh: [offered(work, home), offered(home)],
      link: [wanted, wanted],
    });
  });

  it('an acceptance that comes while no identity is offered is kept for the phone’s return', () => {
    const flow = untilOffering();
    flow.phone('link.up', { phone: iphone, identities: [] });
    flow.ssh('ssh.identityAccepted', {
      fingerprint: 'SHA256:work',
      requestId: 'request-1',
      challengeHash: 'hash-1',
    });
    expect(flow.states()).toEqual([...toOffering, 'discovering']);
    flow.phone('link.up', { phone: iphone, identities: [home] });
    expect(flow.states()).toEqual([...toOffering, 'discovering']);
    flow.phone('link.up', { phone: iphone, identities: [work] });

    expect(flow.states()).toEqual([...toOffering, 'discovering', 'challengeSent']);
    expect(flow.sent.link).toEqual([wanted, wanted, requested()]);
  });
});

describe('a link that drops', () => {
  const accepted = {
    fingerprint: 'SHA256:work',
    requestId: 'request-1',
    challengeHash: 'hash-1',
  };

  it('before the server asked is looked for again', () => {
    const flow = connect();
    flow.person('user.connect');
    flow.phone('link.up', { phone: iphone, identities: [work] });
    flow.phone('link.lost');
    flow.ssh('ssh.publickeyWanted', { methods: ['publickey'] });
    expect(flow.states()).toEqual(toWanted);
    expect(flow.sent).toEqual({ ssh: [], link: [wanted] });
  });

  it('while the server decides sends the accepted request once the link is back', () => {
    const flow = untilOffering();
    flow.phone('link.lost');
    expect(flow.states()).toEqual(toOffering);
    flow.wait(2_000);
    flow.ssh('ssh.identityAccepted', accepted);
    expect(flow.states()).toEqual([...toOffering, 'discovering']);
    flow.phone('link.up', { phone: iphone, identities: [work, home] });

    expect(flow.states()).toEqual([...toOffering, 'discovering', 'challengeSent']);
    expect(flow.sent.link).toEqual([wanted, wanted, requested({ ttl: 7_750 })]);
  });

  it('to an acceptance of what this phone does not offer, nothing is sent', () => {
    const flow = untilWanted();
    flow.phone('link.up', { phone: iphone, identities: [work] });
    flow.phone('link.lost');
    flow.phone('link.up', { phone: otherPhone, identities: [home] });
    flow.ssh('ssh.identityAccepted', accepted);

    expect(flow.states()).toEqual([...toOffering, 'discovering']);
    expect(flow.sent).toEqual({ ssh: [offered(work), offered(home)], link: [wanted, wanted] });
  });

  it('after login is not noticed: the phone is not needed any more', () => {
    const flow = untilConnected();
    flow.phone('link.lost');
    flow.wait(120_000);
    expect(flow.states()).toEqual(toConnected);
    expect(flow.sent.link).toEqual([wanted, requested()]);
  });
});

describe('the host key', () => {
  const hostKey = { fingerprint: 'SHA256:host', keyType: 'ssh-ed25519' };

  it('that is unknown waits for the person, however long', () => {
    const flow = justConnecting();
    flow.ssh('ssh.hostKeyUnknown', hostKey);
    flow.wait(3_600_000);
    expect(flow.states()).toEqual(['idle', 'handshaking', 'confirmingHostKey']);
    expect(flow.context().hostKey).toEqual(hostKey);

    flow.person('user.acceptHostKey');
    flow.ssh('ssh.publickeyWanted', { methods: ['publickey'] });
    expect(flow.states()).toEqual([
      'idle',
      'handshaking',
      'confirmingHostKey',
      'handshaking',
      'discovering',
    ]);
    expect(flow.sent.ssh).toEqual([{ type: 'ssh.acceptHostKey' }]);
  });

  it('that the person rejects ends the connection', () => {
    const flow = justConnecting();
    flow.ssh('ssh.hostKeyUnknown', hostKey);
    flow.person('user.rejectHostKey');
    expect(flow.states()).toEqual([
      'idle',
      'handshaking',
      'confirmingHostKey',
      'rejectingHostKey',
      'failed',
    ]);
    expect(flow.sent.ssh).toEqual([{ type: 'ssh.rejectHostKey' }]);
    expect(flow.words()).toEqual([
      'The host key was not confirmed.',
      'Compare the fingerprint with one from the server’s owner, then connect again.',
    ]);
  });

  it('that changed is refused without a question', () => {
    const flow = justConnecting();
    flow.ssh('ssh.hostKeyChanged', { ...hostKey, known: 'SHA256:before' });
    expect(flow.states()).toEqual(['idle', 'handshaking', 'failed']);
    expect(flow.sent.ssh).toEqual([]);
    expect(flow.context().hostKey).toEqual(hostKey);
    expect(flow.words()).toEqual([
      'The host key has CHANGED.',
      'Someone may be between you and the server. If the change is expected, remove the old key (ssh-keygen -R HOST, and vmux hosts forget-key HOST).',
    ]);
  });

  it('that is revoked is refused without a question', () => {
    const flow = justConnecting();
    flow.ssh('ssh.hostKeyRevoked', hostKey);
    expect(flow.states()).toEqual(['idle', 'handshaking', 'failed']);
    expect(flow.sent.ssh).toEqual([]);
    expect(flow.context().hostKey).toEqual(hostKey);
    expect(flow.words()).toEqual([
      'The host key is marked as revoked.',
      'known_hosts has an @revoked line for it. Do not connect.',
    ]);
  });
});

describe('the server', () => {
  it('that lets anyone in needs no phone', () => {
    const flow = justConnecting();
    flow.ssh('ssh.authenticated');
    expect(flow.states()).toEqual(['idle', 'handshaking', 'connected']);
    expect(flow.sent).toEqual({ ssh: [], link: [] });
  });

  it('that offers no public-key authentication is told apart', () => {
    const flow = justConnecting();
    flow.ssh('ssh.publickeyNotOffered', { methods: ['password'] });
    expect(flow.states()).toEqual(['idle', 'handshaking', 'failed']);
    expect(flow.words()).toEqual([
      'The server does not offer public-key authentication.',
      'Set "PubkeyAuthentication yes" in its sshd_config.',
    ]);
  });

  it('that never completes the handshake has twenty seconds', () => {
    const flow = justConnecting();
    flow.wait(19_999);
    expect(flow.states()).toEqual(['idle', 'handshaking']);
    flow.wait(1);
    expect(flow.states()).toEqual(['idle', 'handshaking', 'failed']);
    expect(flow.words()).toEqual([
      'The server did not complete the SSH handshake in time.',
      'It may be overloaded, or the port may belong to something else.',
    ]);
  });

  it('that names no identity in time is not taken for a missing phone', () => {
    const flow = untilOffering();
    flow.wait(10_000);
    expect(flow.states()).toEqual([...toOffering, 'timedOut']);
    expect(flow.words()).toEqual([
      'The server stopped answering.',
      'It named no identity that it accepts. Check the server and the network, then retry.',
    ]);
    expect(flow.sent.link).toEqual([wanted]);
  });

  it('that never judges the signature has twenty seconds', () => {
    const flow = untilSigned();
    flow.wait(19_999);
    expect(flow.states()).toEqual(toSigned);
    flow.wait(1);
    expect(flow.states()).toEqual([...toSigned, 'failed']);
    expect(flow.context().reason).toBe('serverSilent');
  });

  it('that cannot be reached says why, in the adapter’s words too', () => {
    const flow = justConnecting();
    flow.ssh('ssh.failed', { reason: 'connectionRefused', detail: 'ECONNREFUSED' });
    expect(flow.states()).toEqual(['idle', 'handshaking', 'failed']);
    expect(flow.context().detail).toBe('ECONNREFUSED');
    expect(flow.words()).toEqual([
      'The server refused the connection.',
      'Check the port, and that sshd is running there.',
    ]);
  });

  it('that hangs up before the login withdraws the request', () => {
    const flow = untilShown();
    flow.ssh('ssh.closed', { status: null, signal: null, detail: 'Too many failures' });
    expect(flow.states()).toEqual([...toShown, 'failed']);
    expect(flow.sent.link).toEqual([wanted, requested(), withdrawn]);
    expect(flow.context().detail).toBe('Too many failures');
    expect(flow.words()).toEqual([
      'The server closed the connection.',
      'Its log says why; too many failed logins or a time limit are usual.',
    ]);
  });
});

describe('the session', () => {
  it.each([
    { status: 3, signal: null },
    { status: null, signal: 'TERM' },
  ])('ends with what the remote program ended with: $status $signal', (exit) => {
    const flow = untilConnected();
    flow.ssh('ssh.closed', { ...exit, detail: '' });
    expect(flow.states()).toEqual([...toConnected, 'disconnected']);
    expect(flow.context().exit).toEqual(exit);
    expect(flow.context().detail).toBeNull();
    expect(flow.words()).toEqual([]);
    expect(flow.ports.ssh.running()).toBe(0);
  });

  it('that the connection did not survive says so', () => {
    const flow = untilConnected();
    flow.ssh('ssh.closed', { status: null, signal: null, detail: 'read ECONNRESET' });
    expect(flow.states()).toEqual([...toConnected, 'disconnected']);
    expect(flow.context().detail).toBe('read ECONNRESET');
    expect(flow.words()[0]).toBe('The server closed the connection.');
  });
});

describe('this program', () => {
  it.each(['ssh', 'link'] as const)('says so when its %s port fails', (port) => {
    const flow = connect({}, { [port]: true });
    flow.person('user.connect');
    expect(flow.states()).toEqual(['idle', 'handshaking', 'failed']);
    expect(flow.words()).toEqual([
      'Something failed inside this program.',
      'Nothing was signed. Please report it with the output of "vmux log" or "signer log".',
    ]);
  });

  it('does nothing on facts and wishes that do not belong to the moment', () => {
    const flow = connect();
    flow.person('user.reconnect');
    flow.ssh('ssh.authenticated');
    flow.phone('signer.signed', { requestId: 'request-1', signatureHash: 'forged' });
    expect(flow.states()).toEqual(['idle']);

    untilWanted(flow);
    flow.ssh('ssh.authenticated');
    flow.phone('signer.presented', { requestId: 'request-1' });
    flow.phone('signer.signed', { requestId: 'request-1', signatureHash: 'forged' });
    flow.person('user.acceptHostKey');
    flow.forge({ type: 'signer.signed' });
    flow.forge({ type: 'no.such.event' });
    expect(flow.states()).toEqual(toWanted);
    expect(flow.sent).toEqual({ ssh: [], link: [wanted] });
  });
});
