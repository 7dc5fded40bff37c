/** What a flow is called in the list. */
import type { Envelope } from '../../adapters/event-log/envelope.ts';
import { showForeign } from '../terminal/foreign-text.ts';
import { prefixOf } from './event-row.ts';

const longest = 48;

/** `first`: the first event of its stream, with the machine's input. */
export function flowTitle(first: Envelope): string {
  const input = inputOf(first);
  const text = (name: string) => {
    const value = input[name];
    return typeof value === 'string' && value !== '' ? showForeign(value, longest) : null;
  };
  const host = text('host');
  const as = text('user') === null ? '' : ` as ${text('user')}`;
  switch (prefixOf(first.stream)) {
    case 'connection':
      return `log in at ${host ?? 'a server'}${as}`;
    case 'signing':
      return host === null ? 'sign for another program' : `sign for ssh at ${host}${as}`;
    case 'link':
      return 'link to the phone';
    case 'headset-pairing':
      return 'pair with a phone';
    case 'phone-pairing':
      return 'pair with a headset';
    case 'signer':
      return 'the phone, all the while';
    default:
      return showForeign(prefixOf(first.stream), longest);
  }
}

/** `deviceName`: as the phone's own record has it. */
export const requestTitle = (deviceName: string) =>
  `request of ${showForeign(deviceName, longest)}`;

/** The input that a stream's machine was started with. */
export function inputOf({ data }: Envelope): Record<string, unknown> {
  const input = data !== null && typeof data === 'object' && 'input' in data ? data['input'] : null;
  return input !== null && typeof input === 'object' && !Array.isArray(input) ? { ...input } : {};
}

/** Which process recorded a stream, by its first event; null when that does not say. */
export function processOf({ data }: Envelope): string | null {
  const meta = data !== null && typeof data === 'object' && 'meta' in data ? data['meta'] : null;
  if (meta === null || typeof meta !== 'object' || Array.isArray(meta)) return null;
  return typeof meta?.['process'] === 'string' ? meta['process'] : null;
}
