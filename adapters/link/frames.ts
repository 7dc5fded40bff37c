/** The largest frame body, in bytes. */
export const MAX_FRAME = 64 * 1024;

const HEADER = 4;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * One message as a frame: u32 length, big-endian, then that many bytes of JSON in UTF-8.
 * Throws RangeError when the body exceeds `MAX_FRAME`.
 */
export function encodeFrame(message: unknown): Buffer {
  const body = JSON.stringify(message);
  const length = Buffer.byteLength(body);
  if (length > MAX_FRAME) throw new RangeError(`a frame of ${length} bytes is too large`);
  const frame = Buffer.allocUnsafe(HEADER + length);
  frame.writeUInt32BE(length);
  frame.write(body, HEADER);
  return frame;
}

/** What the bytes given so far hold. After `broken` no further byte is looked at. */
export interface Decoded {
  /** The JSON values of the frames that these bytes completed, in order. Not validated further. */
  messages: unknown[];
  /** A frame was empty, too large, not UTF-8 or not JSON. */
  broken: boolean;
}

/** Takes a stream apart into frames; how it is cut into chunks makes no difference. */
export interface FrameDecoder {
  push(chunk: Uint8Array): Decoded;
}

/** A decoder holds one unfinished frame at most, and wipes each body once it is parsed. */
export function createFrameDecoder(): FrameDecoder {
  const header = Buffer.alloc(HEADER);
  let headerFilled = 0;
  let body: Buffer | null = null;
  let bodyFilled = 0;
  let broken = false;

  function push(chunk: Uint8Array): Decoded {
    const messages: unknown[] = [];
    let at = 0;
    while (!broken && at < chunk.length) {
      if (body === null) {
        const part = chunk.subarray(at, at + HEADER - headerFilled);
        header.set(part, headerFilled);
        headerFilled += part.length;
        at += part.length;
        if (headerFilled < HEADER) break;
        const length = header.readUInt32BE();
        if (length === 0 || length > MAX_FRAME) {
          broken = true;
          break;
        }
        body = Buffer.alloc(length);
        bodyFilled = 0;
      }
      const part = chunk.subarray(at, at + body.length - bodyFilled);
      body.set(part, bodyFilled);
      bodyFilled += part.length;
      at += part.length;
      if (bodyFilled < body.length) break;
      try {
        messages.push(parse(body));
      } catch {
        broken = true;
      }
      body = null;
      headerFilled = 0;
    }
    return { messages, broken };
  }

  return { push };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } finally {
    bytes.fill(0);
  }
}
