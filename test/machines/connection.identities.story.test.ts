import { describe, expect, it } from 'vitest';
import {
  connect,
  home,
  identity,
  iphone,
  offered,
  otherPhone,
  requested,
  untilConnected,
  untilOffering,
  untilSent,
  untilWanted,
  wanted,
  work,
} from '../support/story-headset.ts';

const toWanted = ['idle', 'handshaking', 'discovering'];
const toOffering = [...toWanted, 'offering'];
const toSent = [...toOffering, 'challengeSent'];
const toShown = [...toSent, 'awaitingFaceId'];
const toSigned = [...toShown, 'signed'];
const toConnected = [...toSigned, 'connected'];

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
      code: '42',
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
      code: '42',
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
    code: '42',
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

  it('and comes back with the signature leaves nothing to withdraw', () => {
    const flow = untilSent();
    flow.phone('link.lost');
    flow.phone('link.up', { phone: iphone, identities: [work] });
    flow.phone('signer.signed', { requestId: 'request-1', signatureHash: 'signature-1' });
    flow.person('user.cancel');
    expect(flow.states()).toEqual([
      ...toSent,
      'discovering',
      'challengeSent',
      'signed',
      'disconnected',
    ]);
    expect(flow.sent.link).toEqual([wanted, requested(), wanted, requested()]);
  });

  it('after login is not noticed: the phone is not needed any more', () => {
    const flow = untilConnected();
    flow.phone('link.lost');
    flow.wait(120_000);
    expect(flow.states()).toEqual(toConnected);
    expect(flow.sent.link).toEqual([wanted, requested()]);
  });
});
