/** Each row of the product page's troubleshooting table, by its own name and words. */
import { describe, expect, it } from 'vitest';
import {
  connect,
  handedOver,
  home,
  iphone,
  offered,
  otherPhone,
  requested,
  untilConnected,
  untilSent,
  untilShown,
  untilSigned,
  untilWanted,
  wanted,
  withdrawn,
  work,
} from '../support/story-headset.ts';
import { answered, established, found, search } from '../support/story-link.ts';

const toWanted = ['idle', 'handshaking', 'discovering'];
const toShown = [...toWanted, 'offering', 'challengeSent', 'awaitingFaceId'];

describe('Troubleshooting', () => {
  it('"No iPhone signer found" appears immediately', () => {
    const link = search();
    link.wait(1_500);
    expect(link.states()).toEqual(['down', 'looking', 'quiet']);

    const flow = untilWanted();
    flow.wait(1_500);
    flow.phone('link.nothingFound');

    expect(flow.states()).toEqual([...toWanted, 'failed']);
    expect(flow.sent).toEqual({ ssh: [], link: [wanted] });
    expect(flow.words()).toEqual([
      'No iPhone signer found.',
      'Nothing answered on this network. Open the signer on the phone (signer start), keep it in the foreground, then retry.',
    ]);
  });

  it('"No iPhone signer found" after about 10 seconds', () => {
    const flow = untilWanted();
    flow.phone('link.up', { phone: iphone, identities: [] });
    flow.wait(9_999);
    expect(flow.states()).toEqual(toWanted);
    flow.wait(1);

    expect(flow.states()).toEqual([...toWanted, 'timedOut']);
    expect(flow.sent).toEqual({ ssh: [], link: [wanted] });
    expect(flow.words()).toEqual([
      'No iPhone signer found.',
      'The phone is reachable but offers no identity. Enable or create one there (signer identity list), then retry.',
    ]);
  });

  it('Face ID prompt never appears on iPhone', () => {
    const flow = untilSent();
    flow.wait(10_000);

    expect(flow.states()).toEqual([...toWanted, 'offering', 'challengeSent', 'timedOut']);
    expect(flow.sent.link).toEqual([wanted, requested(), withdrawn]);
    expect(flow.words()).toEqual([
      'No iPhone signer found.',
      'The request was sent but the phone never showed it: it may be asleep. Open the signer there (its page, if it has one), or cycle Wi-Fi off and on, then retry.',
    ]);
  });

  it('Connection succeeds but the iPhone goes to sleep: it stays, and the next signing says why', () => {
    const flow = untilConnected();
    flow.wait(60_000);
    flow.phone('link.lost');
    expect(flow.states()).toEqual([...toShown, 'signed', 'connected']);

    flow.ssh('ssh.closed', { status: 0, signal: null, detail: '' });
    flow.person('user.reconnect');
    flow.phone('link.up', { phone: iphone, identities: [work, home] });
    flow.phone('link.lost');
    flow.ssh('ssh.publickeyWanted', { methods: ['publickey'] });
    flow.wait(10_000);

    expect(flow.states()).toEqual([
      ...toShown,
      'signed',
      'connected',
      'disconnected',
      'handshaking',
      'discovering',
      'timedOut',
    ]);
    expect(flow.words()).toEqual([
      'No iPhone signer found.',
      'The link to the phone dropped and did not come back: it may have gone to sleep. Keep the signer in the foreground, or use Mosh, which signs once.',
    ]);
  });

  it('"Permission denied (publickey)" on the server', () => {
    const noneAccepted = connect();
    untilWanted(noneAccepted);
    noneAccepted.phone('link.up', { phone: iphone, identities: [work, home] });
    noneAccepted.ssh('ssh.identityRefused', { fingerprint: work.fingerprint });
    noneAccepted.ssh('ssh.identityRefused', { fingerprint: home.fingerprint });
    noneAccepted.ssh('ssh.permissionDenied', { methods: ['publickey'] });
    expect(noneAccepted.states()).toEqual([...toWanted, 'offering', 'failed']);
    expect(noneAccepted.sent).toEqual({ ssh: [offered(work, home)], link: [wanted] });

    const signatureRefused = untilSigned();
    signatureRefused.ssh('ssh.permissionDenied', { methods: ['publickey'] });
    expect(signatureRefused.states()).toEqual([...toShown, 'signed', 'failed']);
    expect(signatureRefused.sent.ssh).toEqual([offered(work, home), handedOver]);

    const words = [
      'Permission denied (publickey)',
      "The public key is not in the server's authorized_keys. Copy it from the phone (signer identity public-key LABEL) and append it there.",
    ];
    expect(noneAccepted.words()).toEqual(words);
    expect(signatureRefused.words()).toEqual(words);
  });

  it('The iPhone shows the request but you tap "Deny"', () => {
    const flow = untilShown();
    flow.phone('signer.denied', { requestId: 'request-1', why: 'denied' });
    flow.phone('signer.signed', { requestId: 'request-1', signatureHash: 'signature-1' });

    expect(flow.states()).toEqual([...toShown, 'denied']);
    expect(flow.sent).toEqual({ ssh: [offered(work, home)], link: [wanted, requested()] });
    expect(flow.words()).toEqual([
      'The request was denied on the phone.',
      'Nothing was signed. Approve it next time.',
    ]);
  });

  it('Multiple iPhones on the same network: whichever responds first is the signer', () => {
    const link = search({ phones: [iphone, otherPhone] });
    link.tell(found('instance-1', '192.0.2.1'));
    link.tell(found('instance-2', '192.0.2.2'));
    link.tell(answered(otherPhone, '192.0.2.2'));
    link.tell(answered(iphone, '192.0.2.1'));
    link.tell(established(otherPhone, '192.0.2.2', [home]));

    expect(link.states()).toEqual(['down', 'looking', 'retrying', 'securing', 'up']);
    expect(link.context().phone).toEqual(otherPhone);
    expect(link.context().identities).toEqual([home]);
  });
});
