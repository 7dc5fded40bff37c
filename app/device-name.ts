import { hostname } from 'node:os';

/** What this device calls itself unless the person says otherwise. At most 64 characters. */
export function deviceName(given: string | undefined): string {
  return (given ?? hostname().split('.')[0] ?? '').trim().slice(0, 64) || 'unnamed';
}
