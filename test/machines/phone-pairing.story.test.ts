import { describe, expect, it } from 'vitest';
import { digitsReady, phonePairs } from '../support/story-pairing.ts';

const toComparing = ['idle', 'exchanging', 'comparing'];
const toConfirming = [...toComparing, 'confirming'];

const again = { type: 'pairing.again' };

function begun(story = phonePairs()) {
  story.tell({ type: 'user.pair' });
  return story;
}

function untilComparing(story = phonePairs()) {
  begun(story);
  story.tell(digitsReady);
  return story;
}

function untilConfirming(story = phonePairs()) {
  untilComparing(story);
  story.tell({ type: 'pairing.digitsMatched' });
  return story;
}

describe('the phone meets a headset', () => {
  it('the person types the digits that the headset shows, and the headset has the last word', () => {
    const story = phonePairs();
    expect(story.states()).toEqual(['idle']);
    expect(story.pairing.inputs).toEqual([]);
    untilConfirming(story);
    expect(story.pairing.inputs).toEqual([{ deviceName: 'Ada’s iPhone' }]);
    expect(story.context().peerName).toBe('Somebody');
    story.tell({ type: 'pairing.completed', deviceId: 'headset-1' });

    expect(story.states()).toEqual([...toConfirming, 'paired']);
    expect(story.context().deviceId).toBe('headset-1');
    expect(story.words()).toEqual([]);
    expect(story.sent).toEqual([]);
    expect(story.pairing.running()).toBe(0);
  });

  it('digits that differ begin another exchange, and the third time end it', () => {
    const story = untilComparing();
    story.tell({ type: 'pairing.digitsDiffered' });
    expect(story.states()).toEqual([...toComparing, 'exchanging']);
    expect(story.context().peerName).toBeNull();
    expect(story.sent).toEqual([again]);
    story.tell(digitsReady);
    story.tell({ type: 'pairing.digitsDiffered' });
    expect(story.sent).toEqual([again, again]);
    story.tell(digitsReady);
    story.tell({ type: 'pairing.digitsDiffered' });

    expect(story.states()).toEqual([
      ...toComparing,
      'exchanging',
      'comparing',
      'exchanging',
      'comparing',
      'mismatched',
    ]);
    expect(story.sent).toEqual([again, again]);
    expect(story.words()[0]).toBe('The digits did not match.');
  });

  it('headsets that leave are counted too, and the third ends it', () => {
    const story = untilConfirming();
    story.tell({ type: 'pairing.peerLeft' });
    expect(story.states()).toEqual([...toConfirming, 'exchanging']);
    expect(story.sent).toEqual([again]);
    story.tell({ type: 'pairing.peerLeft' });
    expect(story.states()).toEqual([...toConfirming, 'exchanging']);
    expect(story.sent).toEqual([again, again]);
    story.tell({ type: 'pairing.peerLeft' });

    expect(story.states()).toEqual([...toConfirming, 'exchanging', 'failed']);
    expect(story.sent).toEqual([again, again]);
    expect(story.words()).toEqual([
      'The other device went away while pairing.',
      'Start the pairing again on both devices.',
    ]);
  });

  it('cancelling ends it', () => {
    const story = untilComparing();
    story.tell({ type: 'user.cancel' });
    expect(story.states()).toEqual([...toComparing, 'failed']);
    expect(story.pairing.running()).toBe(0);
    expect(story.words()[0]).toBe('Cancelled.');
  });

  it('an exchange that cannot be ends it', () => {
    const story = begun();
    story.tell({ type: 'pairing.failed', reason: 'pairedWithItself' });
    expect(story.states()).toEqual(['idle', 'exchanging', 'failed']);
    expect(story.words()).toEqual([
      'The device met itself.',
      'The headset and the phone must have state directories of their own.',
    ]);
  });

  it('is open for two minutes, however many headsets came', () => {
    const story = begun();
    story.wait(60_000);
    story.tell({ type: 'pairing.peerLeft' });
    story.wait(59_999);
    expect(story.states()).toEqual(['idle', 'exchanging']);
    story.wait(1);
    expect(story.states()).toEqual(['idle', 'exchanging', 'expired']);
    expect(story.words()[0]).toBe('The pairing took longer than two minutes.');
  });

  it('says so when its port fails', () => {
    const story = phonePairs({ broken: true });
    story.tell({ type: 'user.pair' });
    expect(story.states()).toEqual(['idle', 'exchanging', 'failed']);
    expect(story.words()[0]).toBe('Something failed inside this program.');
  });

  it('nothing is paired by facts that come before their time', () => {
    const story = begun();
    story.tell({ type: 'pairing.digitsMatched' });
    story.tell({ type: 'pairing.completed', deviceId: 'headset-1' });
    expect(story.states()).toEqual(['idle', 'exchanging']);
    story.tell(digitsReady);
    story.tell({ type: 'pairing.completed', deviceId: 'headset-1' });
    expect(story.states()).toEqual(toComparing);
    expect(story.context().deviceId).toBeNull();
  });
});
