import { describe, expect, it } from 'vitest';
import {
  connect,
  justConnecting,
  requested,
  untilConnected,
  untilOffering,
  untilShown,
  untilSigned,
  untilWanted,
  wanted,
  withdrawn,
} from '../support/story-headset.ts';

const toWanted = ['idle', 'handshaking', 'discovering'];
const toOffering = [...toWanted, 'offering'];
const toSent = [...toOffering, 'challengeSent'];
const toShown = [...toSent, 'awaitingFaceId'];
const toSigned = [...toShown, 'signed'];
const toConnected = [...toSigned, 'connected'];

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
