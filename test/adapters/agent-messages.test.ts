import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFrameInbox, encodeFrame } from '../../adapters/agent/frames.ts';
import {
  encodeIdentities,
  encodeQueryResponse,
  encodeSignResponse,
  readAgentRequest,
} from '../../adapters/agent/messages.ts';
import { bindRequest, extension, framed, listRequest, signRequest } from './agent-examples.ts';
import { sessionId, str, u32 } from './keys-examples.ts';

const bind = {
  hostKey: Buffer.from('host key'),
  sessionId,
  signature: Buffer.from('signature'),
  isForwarding: true,
};

const served = {
  'a request for the identities': listRequest,
  'a sign request': signRequest('challenge'),
  'a session-bind': bindRequest(bind),
  'a query': extension('query'),
};
const malformedBind = { type: 'sessionBind', bind: null };

describe('a request is read', () => {
  test('for the identities', () => {
    expect(readAgentRequest(listRequest)).toEqual({ type: 'requestIdentities' });
  });

  test('for a signature, with its flags as they are', () => {
    const message = Buffer.concat([Buffer.of(13), str('key'), str('challenge'), u32(0xffffffff)]);
    expect(readAgentRequest(message)).toEqual({
      type: 'sign',
      keyBlob: Buffer.from('key'),
      data: Buffer.from('challenge'),
      flags: 0xffffffff,
    });
  });

  test('that binds a session', () => {
    expect(readAgentRequest(bindRequest(bind))).toEqual({ type: 'sessionBind', bind });
  });

  test('that asks for the extensions', () => {
    expect(readAgentRequest(extension('query'))).toEqual({ type: 'query' });
  });

  test('into buffers that share nothing with the message', () => {
    const message = signRequest('challenge');
    const request = readAgentRequest(message);
    message.fill(0);
    expect(request).toMatchObject({ data: Buffer.from('challenge'), keyBlob: Buffer.from('key') });
  });
});

describe.each(Object.entries(served))('%s', (_what, message) => {
  const unreadable = [null, malformedBind];

  test('is refused at every truncation', () => {
    expect(unreadable).not.toContainEqual(readAgentRequest(message));
    for (let length = 0; length < message.length; length += 1) {
      expect(unreadable).toContainEqual(readAgentRequest(message.subarray(0, length)));
    }
  });

  test('is refused with a byte after it', () => {
    const longer = Buffer.concat([message, Buffer.of(0)]);
    expect(unreadable).toContainEqual(readAgentRequest(longer));
  });
});

describe('a session-bind is a failed one', () => {
  test.each([0, 19, 21, 31, 33, 47, 63, 65, 128])('with a session id of %i bytes', (length) => {
    const message = bindRequest({ ...bind, sessionId: Buffer.alloc(length) });
    expect(readAgentRequest(message)).toEqual(malformedBind);
  });

  test.each([2, 255])('with %i for whether it is forwarding', (byte) => {
    const message = bindRequest(bind);
    message.writeUInt8(byte, message.length - 1);
    expect(readAgentRequest(message)).toEqual(malformedBind);
  });
});

test.each([20, 32, 48, 64])('a session id can have %i bytes', (length) => {
  const longBind = { ...bind, sessionId: Buffer.alloc(length) };
  expect(readAgentRequest(bindRequest(longBind))).toEqual({ type: 'sessionBind', bind: longBind });
});

test('no other request is served, whatever follows its number', () => {
  for (let type = 0; type < 256; type += 1) {
    if ([11, 13, 27].includes(type)) continue;
    expect(readAgentRequest(Buffer.of(type))).toBeNull();
    expect(readAgentRequest(Buffer.concat([Buffer.of(type), str('ssh-ed25519')]))).toBeNull();
  }
});

test.each(['', 'Query', 'query\0', 'session-bind', 'restrict-destination-v00@openssh.com', '\xff'])(
  'extension %j is not known',
  (name) => {
    expect(readAgentRequest(extension(name))).toBeNull();
  },
);

describe('an answer', () => {
  test('lists identities: their number, then blob and comment of each', () => {
    expect(encodeIdentities([])).toEqual(Buffer.from('0c00000000', 'hex'));
    const identities = [
      { keyBlob: Buffer.from('one'), comment: 'é' },
      { keyBlob: Buffer.from('two'), comment: '' },
    ];
    expect(encodeIdentities(identities)).toEqual(
      Buffer.concat([Buffer.of(12), u32(2), str('one'), str('é'), str('two'), str('')]),
    );
  });

  test('has the signature blob as one string', () => {
    expect(encodeSignResponse(Buffer.from('sig'))).toEqual(Buffer.from('0e00000003736967', 'hex'));
  });

  test('to a query repeats its name and names the extensions', () => {
    expect(encodeQueryResponse()).toEqual(
      Buffer.concat([Buffer.of(29), str('query'), str('query'), str('session-bind@openssh.com')]),
    );
  });
});

function take(chunks: Uint8Array[]) {
  const inbox = createFrameInbox();
  const messages: Buffer[] = [];
  for (const chunk of chunks) {
    inbox.push(chunk);
    for (let message = inbox.next(); message !== null; message = inbox.next()) {
      messages.push(message);
    }
  }
  return { messages, held: inbox.held(), isBroken: inbox.isBroken() };
}

describe('frames', () => {
  test('come out as they went in, however the stream is cut', () => {
    const message = fc.uint8Array({ minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(fc.array(message), fc.array(fc.nat()), (messages, cuts) => {
        const stream = Buffer.concat(messages.map((each) => encodeFrame(each)));
        const at = [0, ...cuts.map((cut) => cut % (stream.length + 1)), stream.length];
        at.sort((a, b) => a - b);
        const chunks = at.slice(1).map((end, i) => stream.subarray(at[i], end));
        expect(take(chunks)).toEqual({
          messages: messages.map((each) => Buffer.from(each)),
          held: 0,
          isBroken: false,
        });
      }),
      { numRuns: 200 },
    );
  });

  test('wait for the rest at every truncation', () => {
    const frame = framed(signRequest('challenge'));
    for (let length = 0; length < frame.length; length += 1) {
      expect(take([frame.subarray(0, length)])).toEqual({
        messages: [],
        held: length,
        isBroken: false,
      });
    }
  });

  test.each([0, 256 * 1024 + 1, 0xffffffff])('a length of %i breaks the stream', (length) => {
    const before = framed(listRequest);
    expect(take([before, u32(length), before])).toEqual({
      messages: [listRequest],
      held: 0,
      isBroken: true,
    });
  });

  test('the largest message passes', () => {
    const largest = Buffer.alloc(256 * 1024, 7);
    expect(take([framed(largest)])).toEqual({ messages: [largest], held: 0, isBroken: false });
  });

  test('a length that promises much costs nothing until the bytes are there', () => {
    const before = process.memoryUsage().arrayBuffers;
    const inboxes = Array.from({ length: 1000 }, () => {
      const inbox = createFrameInbox();
      inbox.push(u32(256 * 1024));
      return [inbox, inbox.next()];
    });
    expect(inboxes).toHaveLength(1000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
  });
});
