import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFrameDecoder, encodeFrame, MAX_FRAME } from '../../adapters/link/frames.ts';

function decode(chunks: Uint8Array[]) {
  const decoder = createFrameDecoder();
  const messages: unknown[] = [];
  let broken = false;
  for (const chunk of chunks) {
    const decoded = decoder.push(chunk);
    messages.push(...decoded.messages);
    broken = decoded.broken;
  }
  return { messages, broken };
}

const cutAt = (bytes: Uint8Array, cuts: number[]) => {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length];
  at.sort((a, b) => a - b);
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
};

function framed(body: string | Uint8Array, length?: number): Buffer {
  const bytes = Buffer.from(body);
  const header = Buffer.alloc(4);
  header.writeUInt32BE(length ?? bytes.length);
  return Buffer.concat([header, bytes]);
}

test('frames come out as they went in, however the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.array(fc.nat()), (values, cuts) => {
      const asJson = values.map((value) => JSON.parse(JSON.stringify(value)) as unknown);
      const stream = Buffer.concat(values.map((value) => encodeFrame(value)));
      expect(decode(cutAt(stream, cuts))).toEqual({ messages: asJson, broken: false });
    }),
    { numRuns: 100 },
  );
});

test('every truncation of a stream gives the frames before it and waits for the rest', () => {
  const frames = [{ t: 'ping' }, { name: 'Ω' }, []].map((value) => encodeFrame(value));
  const stream = Buffer.concat(frames);
  for (let length = 0; length < stream.length; length += 1) {
    const { messages, broken } = decode([stream.subarray(0, length)]);
    let end = 0;
    const whole = frames.filter((frame) => (end += frame.length) <= length);
    expect(messages).toHaveLength(whole.length);
    expect(broken).toBe(false);
  }
});

test('bytes one at a time give what they give at once', () => {
  const stream = Buffer.concat([encodeFrame({ a: 1 }), encodeFrame('ü'), framed('{')]);
  expect(decode([...stream].map((byte) => Buffer.of(byte)))).toEqual(decode([stream]));
  expect(decode([stream])).toEqual({ messages: [{ a: 1 }, 'ü'], broken: true });
});

describe.each([
  ['an empty frame', framed('')],
  ['a frame that is too large', framed('', MAX_FRAME + 1)],
  ['the largest length there is', Buffer.from('ffffffff', 'hex')],
  ['no JSON', framed('{"t":')],
  ['two JSON values', framed('{}{}')],
  ['a byte-order mark', framed('\uFEFF{}')],
  ['invalid UTF-8', framed(Buffer.from([0x22, 0xff, 0x22]))],
  ['an overlong UTF-8 form', framed(Buffer.from([0x22, 0xc0, 0xaf, 0x22]))],
  ['a surrogate in UTF-8', framed(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))],
])('%s', (_what, bytes) => {
  test('breaks the stream for good, and what came before is kept', () => {
    const before = encodeFrame({ t: 'ping' });
    expect(decode([before, bytes, before])).toEqual({ messages: [{ t: 'ping' }], broken: true });
    expect(decode([Buffer.concat([before, bytes, before])])).toEqual({
      messages: [{ t: 'ping' }],
      broken: true,
    });
  });
});

test('random bytes never throw', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (chunks) => {
      expect(decode(chunks).messages).toBeInstanceOf(Array);
    }),
    { numRuns: 200 },
  );
});

test('the largest body passes; one byte more is not sent', () => {
  const largest = 'x'.repeat(MAX_FRAME - 2);
  expect(decode([encodeFrame(largest)]).messages).toEqual([largest]);
  expect(() => encodeFrame(`${largest}x`)).toThrow(RangeError);
});
