/** What a phone's person decides with `signer` commands while `signer start` runs. */
import { expect, vi } from 'vitest';
import type { Device } from './program-driver.ts';
import { eventsOf } from './program-logs.ts';

const decisions = ['settings.changed', 'device.muted', 'device.unmuted'];

/** Runs the command, which must change something, and waits until `signer start` goes by it. */
export async function decide(phone: Device, ...args: string[]): Promise<void> {
  // The command's own record of it has the same name in another stream.
  const taken = () =>
    eventsOf(phone).filter(
      ({ stream, type }) => stream.startsWith('signer/') && decisions.includes(type),
    ).length;
  const before = taken();
  expect(await phone.run(args)).toMatchObject({ status: 0 });
  await vi.waitUntil(() => taken() > before, 10_000);
}
