/** How this browser pairs with its signer, and comes in. */
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
import { newDeviceKeys, publicKeyOf, signText } from './device-key.ts';
import { saveDevice, type Device } from './store.ts';

export type Problem = HttpProblem | 'unreachable';

/** `code`: as the protocol has it. */
export async function pairWith(code: string, name: string): Promise<Device | Problem> {
  const keys = await newDeviceKeys();
  const publicKey = await publicKeyOf(keys);
  const signature = await signText(keys, pairingText(location.origin, code, publicKey));
  const request: PairRequest = { code, name, publicKey, signature };
  const reply = await post<PairReply>(paths.pair, request);
  if (typeof reply === 'string') return reply;
  const device = { browserId: reply.browserId, keys };
  await saveDevice(device);
  return device;
}

/** Gets the cookie with which the socket opens. */
export async function comeIn({ browserId, keys }: Device): Promise<'in' | Problem> {
  const asked = await post<NonceReply>(paths.nonce, {});
  if (typeof asked === 'string') return asked;
  const { nonce } = asked;
  const signature = await signText(keys, sessionText(location.origin, nonce));
  const request: SessionRequest = { browserId, nonce, signature };
  const reply = await post<object>(paths.session, request);
  return typeof reply === 'string' ? reply : 'in';
}

async function post<Reply extends object>(path: string, body: object): Promise<Reply | Problem> {
  try {
    const response = await fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
    const reply = (await response.json()) as Reply & { error?: HttpProblem };
    return response.ok ? reply : (reply.error ?? 'malformed');
  } catch {
    return 'unreachable';
  }
}
