import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../machines/headset/link.setup.ts';
import { home, iphone, otherPhone, work } from '../support/story-headset.ts';
import {
  answered,
  at,
  closed,
  dialled,
  dropped,
  established,
  found,
  link,
  refused,
  search,
  secured,
  untilSecuring,
  untilUp,
} from '../support/story-link.ts';

const toLooking = ['down', 'looking'];
const toSecuring = [...toLooking, 'retrying', 'securing'];
const toUp = [...toSecuring, 'up'];

/** A phone seen at 192.0.2.1 was dialled, answered, and is asked for its hello. */
const secureCommands = [dialled('192.0.2.1'), secured];

describe('vmux looks for a paired iPhone', () => {
  it('from the start of the process: remembered addresses and browsing at once', () => {
    const story = search({ remembered: [at('192.0.2.9')] });
    expect(story.states()).toEqual(toLooking);
    expect(story.browsed).toEqual([{ serviceType: '_vmux-signer._tcp' }]);
    expect(story.sent).toEqual([dialled('192.0.2.9')]);
  });

  it('not at all while none is paired', () => {
    const story = search({ phones: [] });
    story.wait(60_000);
    expect(story.states()).toEqual(['down']);
    expect(story.browsed).toEqual([]);
    expect(story.sent).toEqual([]);
  });

  it('as soon as one is paired', () => {
    const story = search({ phones: [] });
    story.tell({ type: 'phones.changed', phones: [iphone], remembered: [at('192.0.2.9')] });
    expect(story.states()).toEqual(toLooking);
    expect(story.sent).toEqual([dialled('192.0.2.9')]);
  });

  it('no more when the last one was forgotten before the program began', () => {
    const story = link();
    story.tell({ type: 'phones.changed', phones: [], remembered: [] });
    story.tell({ type: 'app.started' });
    expect(story.states()).toEqual(['down']);
    expect(story.connector.inputs).toEqual([]);
  });

  it('and dials each address once, remembered ones first', () => {
    const story = search({ remembered: [at('192.0.2.9'), at('192.0.2.1')] });
    story.tell(found('instance-1', '192.0.2.1'));
    expect(story.states()).toEqual([...toLooking, 'retrying']);
    expect(story.sent).toEqual([
      dialled('192.0.2.9', '192.0.2.1'),
      dialled('192.0.2.9', '192.0.2.1'),
    ]);
  });

  it('the first paired phone to answer wins', () => {
    const story = search({ phones: [iphone, otherPhone] });
    story.tell(found('instance-1', '192.0.2.1'));
    story.tell(found('instance-2', '192.0.2.2'));
    story.tell(answered(otherPhone, '192.0.2.2'));
    story.tell(answered(iphone, '192.0.2.1'));
    story.tell(established(otherPhone, '192.0.2.2', [work, home]));

    expect(story.states()).toEqual(toUp);
    expect(story.sent).toEqual([dialled('192.0.2.1'), dialled('192.0.2.1', '192.0.2.2'), secured]);
    expect(story.context().phone).toEqual(otherPhone);
    expect(story.context().endpoint).toEqual(at('192.0.2.2'));
    expect(story.context().identities).toEqual([work, home]);
  });

  it('a phone that is seen but does not answer is dialled again every two seconds', () => {
    const story = search();
    story.tell(found('instance-1', '192.0.2.1'));
    story.wait(1_999);
    expect(story.sent).toEqual([dialled('192.0.2.1')]);
    story.wait(1);
    story.wait(2_000);
    expect(story.states()).toEqual([...toLooking, 'retrying']);
    expect(story.sent).toEqual([dialled('192.0.2.1'), dialled('192.0.2.1'), dialled('192.0.2.1')]);
  });

  it('a phone that has gone is not dialled any more', () => {
    const story = search();
    story.tell(found('instance-1', '192.0.2.1'));
    story.tell(found('instance-2', '192.0.2.2'));
    story.tell({ type: 'peer.gone', instance: 'instance-1' });
    story.wait(2_000);
    expect(story.sent.at(-1)).toEqual(dialled('192.0.2.2'));
  });

  it('a phone paired meanwhile is dialled with the next round', () => {
    const story = search({ remembered: [at('192.0.2.9')] });
    story.tell({
      type: 'phones.changed',
      phones: [iphone, otherPhone],
      remembered: [at('192.0.2.9'), at('192.0.2.8')],
    });
    expect(story.states()).toEqual(toLooking);
    story.wait(1_500);
    story.wait(2_000);
    expect(story.states()).toEqual([...toLooking, 'quiet']);
    expect(story.sent).toEqual([dialled('192.0.2.9'), dialled('192.0.2.9', '192.0.2.8')]);
  });

  it('no more once the last one is forgotten', () => {
    const story = search({ remembered: [at('192.0.2.9')] });
    story.tell({ type: 'phones.changed', phones: [], remembered: [] });
    story.wait(60_000);
    expect(story.states()).toEqual([...toLooking, 'down']);
    expect(story.context().phones).toEqual([]);
    expect(story.connector.running()).toBe(0);
    expect(story.sent).toEqual([dialled('192.0.2.9')]);
  });
});

describe('nothing on the network', () => {
  it('is told after a second and a half, and remembered addresses are dialled on', () => {
    const story = search({ remembered: [at('192.0.2.9')] });
    story.wait(1_499);
    expect(story.states()).toEqual(toLooking);
    story.wait(1);
    expect(story.states()).toEqual([...toLooking, 'quiet']);
    story.wait(1_999);
    expect(story.sent).toEqual([dialled('192.0.2.9')]);
    story.wait(1);
    story.wait(2_000);
    expect(story.states()).toEqual([...toLooking, 'quiet']);
    expect(story.sent).toEqual([dialled('192.0.2.9'), dialled('192.0.2.9'), dialled('192.0.2.9')]);
  });

  it('is looked at again when somebody needs a phone', () => {
    const story = search({ remembered: [at('192.0.2.9')] });
    story.wait(1_500);
    story.tell({ type: 'link.wanted' });
    expect(story.states()).toEqual([...toLooking, 'quiet', 'looking']);
    expect(story.sent).toEqual([dialled('192.0.2.9'), dialled('192.0.2.9')]);
  });

  it('ends with the first phone that appears', () => {
    const story = search();
    story.wait(1_500);
    story.tell(found('instance-1', '192.0.2.1'));
    expect(story.states()).toEqual([...toLooking, 'quiet', 'retrying']);
    expect(story.sent).toEqual([dialled('192.0.2.1')]);
  });

  it('ends with a phone that answers at a remembered address', () => {
    const story = search({ remembered: [at('192.0.2.9')] });
    story.wait(1_500);
    story.tell(answered(iphone, '192.0.2.9'));
    expect(story.states()).toEqual([...toLooking, 'quiet', 'securing']);
    expect(story.sent).toEqual([dialled('192.0.2.9'), secured]);
  });

  it('while multicast is not possible, remembered addresses are what is left', () => {
    const story = search({ remembered: [at('192.0.2.9')] });
    story.network.error(new Error('no multicast here'));
    story.wait(3_500);
    expect(story.states()).toEqual([...toLooking, 'quiet']);
    story.tell(answered(iphone, '192.0.2.9'));
    expect(story.states()).toEqual([...toLooking, 'quiet', 'securing']);
  });
});

describe('a phone that turns this headset away', () => {
  it('is not dialled again, and is told once nothing else answered', () => {
    const story = search({ remembered: [at('192.0.2.9'), at('192.0.2.8')] });
    story.tell(refused('192.0.2.9', 'phoneForgotHeadset'));
    expect(story.states()).toEqual(toLooking);
    story.wait(1_500);
    expect(story.states()).toEqual([...toLooking, 'refused']);
    expect(story.context().refused).toEqual([
      { endpoint: at('192.0.2.9'), reason: 'phoneForgotHeadset' },
    ]);
    story.wait(1_999);
    expect(story.sent).toEqual([dialled('192.0.2.9', '192.0.2.8')]);
    story.wait(1);
    story.wait(2_000);
    expect(story.states()).toEqual([...toLooking, 'refused']);
    expect(story.sent).toEqual([
      dialled('192.0.2.9', '192.0.2.8'),
      dialled('192.0.2.8'),
      dialled('192.0.2.8'),
    ]);
  });

  it('is told before a stranger that answered earlier', () => {
    const story = search({ remembered: [at('192.0.2.9'), at('192.0.2.8')] });
    story.tell(refused('192.0.2.8', 'unknownPhone'));
    expect(refusalOf(story.context())).toBe('unknownPhone');
    story.tell(refused('192.0.2.9', 'phoneForgotHeadset'));
    expect(refusalOf(story.context())).toBe('phoneForgotHeadset');
  });

  it('is told also when it was seen by browsing', () => {
    const story = search();
    story.tell(found('instance-1', '192.0.2.1'));
    story.tell(refused('192.0.2.1', 'updateVmux'));
    expect(story.states()).toEqual([...toLooking, 'retrying']);
    story.wait(2_000);
    expect(story.states()).toEqual([...toLooking, 'retrying', 'refused']);
    expect(story.sent).toEqual([dialled('192.0.2.1')]);
  });

  it('is told also when it came late, at a remembered address', () => {
    const story = search({ remembered: [at('192.0.2.9')] });
    story.wait(1_500);
    story.tell(refused('192.0.2.9', 'phoneForgotHeadset'));
    story.wait(2_000);
    expect(story.states()).toEqual([...toLooking, 'quiet', 'refused']);
    expect(story.sent).toEqual([dialled('192.0.2.9')]);
  });

  it('is asked again when somebody needs a phone', () => {
    const story = search({ remembered: [at('192.0.2.9')] });
    story.tell(refused('192.0.2.9', 'phoneForgotHeadset'));
    story.wait(1_500);
    story.tell({ type: 'link.wanted' });
    expect(story.states()).toEqual([...toLooking, 'refused', 'looking']);
    expect(story.context().refused).toEqual([]);
    expect(story.sent).toEqual([dialled('192.0.2.9'), dialled('192.0.2.9')]);
  });

  it('is asked again once it is paired anew', () => {
    const story = search({ remembered: [at('192.0.2.9')] });
    story.tell(refused('192.0.2.9', 'phoneForgotHeadset'));
    story.wait(1_500);
    story.tell({ type: 'phones.changed', phones: [iphone], remembered: [at('192.0.2.9')] });
    story.wait(2_000);
    expect(story.sent).toEqual([dialled('192.0.2.9'), dialled('192.0.2.9')]);
  });

  it('in its hello leaves room for another', () => {
    const story = untilSecuring({ remembered: [at('192.0.2.9')] });
    story.tell(refused('192.0.2.1', 'updateSigner'));
    expect(story.states()).toEqual([...toSecuring, 'looking']);
    expect(story.context().phone).toBeNull();
    expect(story.sent).toEqual([
      dialled('192.0.2.9'),
      dialled('192.0.2.9', '192.0.2.1'),
      secured,
      dialled('192.0.2.9'),
    ]);
    story.wait(1_500);
    expect(story.states()).toEqual([...toSecuring, 'looking', 'refused']);
  });
});

describe('the hello', () => {
  it('that does not come within three seconds leads to another try', () => {
    const story = untilSecuring();
    story.wait(2_999);
    expect(story.states()).toEqual(toSecuring);
    story.wait(1);
    expect(story.states()).toEqual([...toSecuring, 'lost']);
    expect(story.sent).toEqual([...secureCommands, closed]);
    expect(story.context().phone).toBeNull();
  });

  it('of a link that drops meanwhile leads to another try', () => {
    const story = untilSecuring();
    story.tell(dropped());
    expect(story.states()).toEqual([...toSecuring, 'lost']);
    expect(story.context().phone).toBeNull();
    expect(story.sent).toEqual(secureCommands);
    story.wait(100);
    expect(story.states()).toEqual([...toSecuring, 'lost', 'looking']);
  });
});

describe('the link', () => {
  it('tells the identities that the phone has now', () => {
    const story = untilUp();
    expect(story.context().identities).toEqual([]);
    story.tell({ type: 'link.identitiesChanged', identities: [home] });
    expect(story.states()).toEqual(toUp);
    expect(story.context().identities).toEqual([home]);
    expect(story.sent).toEqual(secureCommands);
  });

  it('stays open between connections', () => {
    const story = untilUp();
    story.wait(3_600_000);
    story.tell({ type: 'link.wanted' });
    expect(story.states()).toEqual(toUp);
    expect(story.sent).toEqual(secureCommands);
  });

  it('that drops is sought again after a short pause, where the phone was seen', () => {
    const story = untilUp();
    story.tell(dropped());
    expect(story.context().phone).toBeNull();
    story.wait(99);
    expect(story.states()).toEqual([...toUp, 'lost']);
    story.wait(1);
    expect(story.states()).toEqual([...toUp, 'lost', 'looking']);
    expect(story.sent).toEqual([...secureCommands, dialled('192.0.2.1')]);
    story.wait(1_500);
    expect(story.states()).toEqual([...toUp, 'lost', 'looking', 'retrying']);
  });

  it('remembers what was seen and what went while it was up', () => {
    const story = untilUp();
    story.tell(found('instance-2', '192.0.2.2'));
    story.tell({ type: 'peer.gone', instance: 'instance-1' });
    expect(story.states()).toEqual(toUp);
    story.tell(dropped());
    story.wait(100);
    expect(story.sent).toEqual([...secureCommands, dialled('192.0.2.2')]);
  });

  it('that keeps dropping is sought after longer and longer pauses, two seconds at most', () => {
    const story = untilSecuring();
    for (const pause of [100, 200, 400, 800, 1_000, 1_000]) {
      story.tell(dropped(0.5));
      story.wait(pause - 1);
      expect(story.states().at(-1)).toBe('lost');
      story.wait(1);
      expect(story.states().at(-1)).toBe('looking');
      story.tell(answered(iphone, '192.0.2.1'));
    }
    story.tell(established(iphone, '192.0.2.1', []));
    story.tell(dropped(0.9));
    story.wait(179);
    expect(story.states().at(-1)).toBe('lost');
    story.wait(1);
    expect(story.states().at(-1)).toBe('looking');
  });

  it('ends when the only paired phone forgets this headset', () => {
    const story = untilUp();
    story.tell({ type: 'link.unpaired', phone: iphone });
    expect(story.states()).toEqual([...toUp, 'down']);
    expect(story.context().phones).toEqual([]);
    expect(story.context().phone).toBeNull();
    expect(story.connector.running()).toBe(0);
    expect(story.sent).toEqual(secureCommands);
  });

  it('is sought with the other phones when one of them forgets this headset', () => {
    const story = untilUp({ phones: [iphone, otherPhone] });
    story.tell({ type: 'link.unpaired', phone: iphone });
    expect(story.states()).toEqual([...toUp, 'looking']);
    expect(story.context().phones).toEqual([otherPhone]);
    expect(story.context().phone).toBeNull();
    expect(story.sent).toEqual([...secureCommands, closed, dialled('192.0.2.1')]);
  });

  it.each([
    ['up', () => untilUp({ phones: [iphone, otherPhone] }), toUp],
    ['being secured', () => untilSecuring({ phones: [iphone, otherPhone] }), toSecuring],
  ])('that is %s ends at once when this headset forgets the phone', (_, begin, path) => {
    const story = begin();
    story.tell({ type: 'phones.changed', phones: [otherPhone], remembered: [] });
    expect(story.states()).toEqual([...path, 'looking']);
    expect(story.context().phone).toBeNull();
    expect(story.context().phones).toEqual([otherPhone]);
    expect(story.sent).toEqual([...secureCommands, closed, dialled('192.0.2.1')]);
  });

  it('ends when this headset forgets its last phone', () => {
    const story = untilUp();
    story.tell({ type: 'phones.changed', phones: [], remembered: [] });
    expect(story.states()).toEqual([...toUp, 'down']);
    expect(story.context().phone).toBeNull();
    expect(story.connector.running()).toBe(0);
    expect(story.sent).toEqual(secureCommands);
  });

  it('stays when another phone is paired or forgotten', () => {
    const story = untilUp();
    story.tell({
      type: 'phones.changed',
      phones: [iphone, otherPhone],
      remembered: [at('192.0.2.8')],
    });
    expect(story.states()).toEqual(toUp);
    story.tell(dropped());
    story.wait(100);
    expect(story.sent).toEqual([...secureCommands, dialled('192.0.2.8', '192.0.2.1')]);
  });

  it('begun anew after a time without phones does not trust what was seen before', () => {
    const story = untilUp();
    story.tell({ type: 'phones.changed', phones: [], remembered: [] });
    story.tell({ type: 'phones.changed', phones: [iphone], remembered: [] });
    story.wait(1_500);
    expect(story.states()).toEqual([...toUp, 'down', 'looking', 'quiet']);
    expect(story.sent).toEqual(secureCommands);
  });

  it('is down when its connector fails', () => {
    const story = link({}, { connector: true });
    story.tell({ type: 'app.started' });
    expect(story.states()).toEqual(['down', 'looking', 'down']);
  });

  it('forged and early facts do nothing', () => {
    const story = link();
    story.tell(established(iphone, '192.0.2.1', [work]));
    story.tell(found('instance-1', '192.0.2.1'));
    expect(story.states()).toEqual(['down']);

    story.tell({ type: 'app.started' });
    story.tell(established(iphone, '192.0.2.1', [work]));
    story.tell({ type: 'link.identitiesChanged', identities: [work] });
    story.tell(dropped());
    story.tell({ type: 'link.wanted' });
    story.tell({ type: 'app.started' });
    expect(story.states()).toEqual(toLooking);
    expect(story.context().identities).toEqual([]);
    expect(story.sent).toEqual([]);
  });
});
