/** How this browser is paired, and how it comes in from then on. */
import {
  pairingText,
  paths,
  sessionText,
  type HttpProblem,
  type NonceReply,
  type PairReply,
  type PairRequest,
  type SessionRequest,
} from '../../../../adapters/phone-page/protocol.ts';
import { keepDevice, makeDeviceKey, signText, type Device } from './device-key.ts';
import { checkStorage } from './storage.ts';

type Posted<T> = { ok: true; reply: T } | { ok: false; why: HttpProblem | 'unreachable' };

/** Milliseconds after which a signer is not there. */
const PATIENCE = 5_000;

/** `code` as the signer reads it. Rejects when the browser cannot keep its key. */
export async function pairDevice(
  code: string,
  name: string,
): Promise<{ ok: true; device: Device } | { ok: false; why: HttpProblem | 'unreachable' }> {
  // A browser that keeps nothing would be paired, and not know it.
  await checkStorage();
  const key = await makeDeviceKey();
  const { publicKey } = key;
  const signature = await signText(key, pairingText(location.origin, code, publicKey));
  const request: PairRequest = { code, name, publicKey, signature };
  const posted = await post<PairReply>(paths.pair, request);
  if (!posted.ok) return posted;
  const device: Device = { ...key, browserId: posted.reply.browserId };
  await keepDevice(device);
  return { ok: true, device };
}

/** Gets the cookie that the socket wants. */
export async function signIn(device: Device): Promise<'in' | HttpProblem | 'unreachable'> {
  const asked = await post<NonceReply>(paths.nonce, {});
  if (!asked.ok) return asked.why;
  const { nonce } = asked.reply;
  const signature = await signText(device, sessionText(location.origin, nonce));
  const request: SessionRequest = { browserId: device.browserId, nonce, signature };
  const posted = await post<object>(paths.session, request);
  return posted.ok ? 'in' : posted.why;
}

async function post<T>(path: string, body: object): Promise<Posted<T>> {
  try {
    const answer = await fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE),
    });
    const reply = (await answer.json()) as T & { error?: HttpProblem };
    if (answer.ok) return { ok: true, reply };
    return { ok: false, why: reply.error ?? 'unreachable' };
  } catch {
    return { ok: false, why: 'unreachable' };
  }
}
