import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { AgentConnection, AgentServerOptions, AgentSignRequest } from './agent-server.ts';
import { createFrameInbox, encodeFrame, LARGEST_FRAME } from './frames.ts';
import {
  encodeFailure,
  encodeIdentities,
  encodeQueryResponse,
  encodeSignResponse,
  encodeSuccess,
  readAgentRequest,
} from './messages.ts';
import { AGENT_MAX_LEN } from './protocol.ts';
import { createSessionBinds } from './session-binds.ts';

/** Milliseconds between two looks at whether the asker behind a paused stream still lives. */
const PROBE_INTERVAL = 250;

/**
 * Answers what comes over `stream`, one request after the other, until it closes.
 *
 * What is asked ahead waits as bytes: about 320 KiB of them, then the stream is paused until an
 * answer is out. It is not paused before, because Node sees the end of a stream only by reading.
 */
export function serveConnection(stream: Duplex, options: AgentServerOptions): void {
  const gone = new AbortController();
  const binds = createSessionBinds((bind) => options.verifyBind(bind));
  const inbox = createFrameInbox();
  let isAnswering = false;
  let hasEnded = false;
  let probe: NodeJS.Timeout | null = null;

  const connection: AgentConnection = {
    id: randomUUID(),
    binds: binds.recorded,
    get bindFailed() {
      return binds.hasFailed();
    },
    gone: gone.signal,
  };

  stream.on('data', (chunk: Buffer) => {
    inbox.push(chunk);
    if (inbox.held() > LARGEST_FRAME) pause();
    void answerAll();
  });
  stream.on('end', () => {
    hasEnded = true;
    gone.abort();
    void answerAll();
  });
  stream.on('error', () => undefined);
  stream.on('close', () => {
    resume();
    gone.abort();
  });

  function pause(): void {
    stream.pause();
    // A write of nothing fails when the reader is dead, and is nothing to a live one.
    probe ??= setInterval(() => stream.writableLength === 0 && stream.write(''), PROBE_INTERVAL);
  }

  function resume(): void {
    if (probe !== null) clearInterval(probe);
    probe = null;
    stream.resume();
  }

  async function answerAll(): Promise<void> {
    if (isAnswering) return;
    isAnswering = true;
    for (let message = inbox.next(); message !== null; message = inbox.next()) {
      const reply = await answer(message).catch(encodeFailure);
      message.fill(0);
      if (stream.destroyed) return;
      await send(reply.length > AGENT_MAX_LEN ? encodeFailure() : reply);
      if (probe !== null && inbox.held() <= LARGEST_FRAME) resume();
    }
    isAnswering = false;
    if (inbox.isBroken() || hasEnded) stream.destroy();
  }

  /** Waits until the system has taken the bytes: who does not read is not answered any further. */
  function send(reply: Buffer): Promise<void> {
    return new Promise((resolve) => {
      stream.write(encodeFrame(reply), () => resolve());
    });
  }

  async function answer(message: Buffer): Promise<Buffer> {
    const request = readAgentRequest(message);
    switch (request?.type) {
      case 'requestIdentities':
        return encodeIdentities(options.listIdentities(connection));
      case 'sign': {
        const { keyBlob, data, flags } = request;
        const signature = await sign({ connection, keyBlob, data, flags });
        return signature === null ? encodeFailure() : encodeSignResponse(signature);
      }
      case 'sessionBind':
        return binds.bind(request.bind) ? encodeSuccess() : encodeFailure();
      case 'query':
        return encodeQueryResponse();
      case undefined:
        return encodeFailure();
    }
  }

  function sign(request: AgentSignRequest): Promise<Uint8Array | null> {
    const { signal } = gone;
    if (signal.aborted) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      const giveUp = () => resolve(null);
      signal.addEventListener('abort', giveUp, { once: true });
      void Promise.try(() => options.sign(request))
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', giveUp));
    });
  }
}
