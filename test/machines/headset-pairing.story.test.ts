import { describe, expect, it } from 'vitest';
import { iphone } from '../support/story-headset.ts';
import { digitsReady, headsetPairs } from '../support/story-pairing.ts';

const toComparing = ['idle', 'exchanging', 'comparing'];
const toConfirming = [...toComparing, 'confirming'];

const confirmed = { type: 'pairing.confirm' };
const declined = { type: 'pairing.decline' };

function untilComparing(story = headsetPairs()) {
  story.tell({ type: 'user.pair' });
  story.tell(digitsReady);
  return story;
}

function untilConfirming(story = headsetPairs()) {
  untilComparing(story);
  story.tell({ type: 'pairing.digitsMatched' });
  return story;
}

describe('the headset meets a phone', () => {
  it('shows six digits, which the person types on the phone, and is confirmed here', () => {
    const story = headsetPairs();
    expect(story.states()).toEqual(['idle']);
    expect(story.pairing.inputs).toEqual([]);
    untilConfirming(story);
    expect(story.pairing.inputs).toEqual([{ deviceName: 'Vision Pro' }]);
    expect(story.context().peerName).toBe('Somebody');
    expect(story.states()).toEqual(toConfirming);
    expect(story.sent).toEqual([]);

    story.tell({ type: 'user.confirm' });
    expect(story.states()).toEqual([...toConfirming, 'completing']);
    expect(story.sent).toEqual([confirmed]);
    story.tell({ type: 'pairing.completed', phone: iphone });

    expect(story.states()).toEqual([...toConfirming, 'completing', 'paired']);
    expect(story.context().phone).toEqual(iphone);
    expect(story.sent).toEqual([confirmed]);
    expect(story.words()).toEqual([]);
    expect(story.pairing.running()).toBe(0);
  });

  it('digits that differ end it', () => {
    const story = untilComparing();
    story.tell({ type: 'pairing.digitsDiffered' });
    expect(story.states()).toEqual([...toComparing, 'mismatched']);
    expect(story.context().phone).toBeNull();
    expect(story.words()).toEqual([
      'The digits did not match.',
      'Nothing was paired. If you typed them correctly, someone may be between the devices: pair on another network.',
    ]);
  });

  it('a person who does not confirm ends it, and the phone is told', () => {
    const story = untilConfirming();
    story.tell({ type: 'user.decline' });
    expect(story.states()).toEqual([...toConfirming, 'declining', 'failed']);
    expect(story.sent).toEqual([declined]);
    expect(story.words()).toEqual([
      'The pairing was not confirmed on the headset.',
      'Nothing was paired.',
    ]);
  });

  it.each([
    ['exchanging', () => begun(), ['idle', 'exchanging']],
    ['comparing', () => untilComparing(), toComparing],
    ['confirming', () => untilConfirming(), toConfirming],
  ])('cancelling ends it while %s, and the phone is told', (_, begin, path) => {
    const story = begin();
    story.tell({ type: 'user.cancel' });
    expect(story.states()).toEqual([...path, 'declining', 'failed']);
    expect(story.sent).toEqual([declined]);
    expect(story.pairing.running()).toBe(0);
    expect(story.words()[0]).toBe('Cancelled.');
  });

  it('an exchange that was tampered with ends it', () => {
    const story = untilComparing();
    story.tell({ type: 'pairing.failed', reason: 'pairingTampered' });
    expect(story.states()).toEqual([...toComparing, 'failed']);
    expect(story.sent).toEqual([]);
    expect(story.words()).toEqual([
      'The pairing exchange was tampered with.',
      'Someone may be on this network between the devices. Pair on another network.',
    ]);
  });

  it('takes two minutes at most', () => {
    const story = begun();
    story.wait(60_000);
    story.tell(digitsReady);
    story.wait(59_999);
    expect(story.states()).toEqual(toComparing);
    story.wait(1);
    expect(story.states()).toEqual([...toComparing, 'expired']);
    expect(story.words()).toEqual([
      'The pairing took longer than two minutes.',
      'Start it again on both devices.',
    ]);
  });

  it('says so when its port fails', () => {
    const story = headsetPairs({ broken: true });
    story.tell({ type: 'user.pair' });
    expect(story.states()).toEqual(['idle', 'exchanging', 'failed']);
    expect(story.words()[0]).toBe('Something failed inside this program.');
  });

  it('nothing is paired by facts that come before their time', () => {
    const story = begun();
    story.tell({ type: 'user.confirm' });
    story.tell({ type: 'pairing.digitsMatched' });
    story.tell({ type: 'pairing.completed', phone: iphone });
    expect(story.states()).toEqual(['idle', 'exchanging']);
    story.tell(digitsReady);
    story.tell({ type: 'user.confirm' });
    story.tell({ type: 'pairing.completed', phone: iphone });
    expect(story.states()).toEqual(toComparing);
    story.tell({ type: 'pairing.digitsMatched' });
    story.tell({ type: 'pairing.completed', phone: iphone });
    expect(story.states()).toEqual(toConfirming);
    expect(story.context().phone).toBeNull();
    expect(story.sent).toEqual([]);
  });
});

function begun() {
  const story = headsetPairs();
  story.tell({ type: 'user.pair' });
  return story;
}
