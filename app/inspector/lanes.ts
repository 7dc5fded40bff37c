/** Which arrow of the sequence an event is: who told whom. */
import type { Device, Lane } from './protocol.ts';

type Arrow = [begins: string, from: Lane, to: Lane];

/** The first entry whose beginning the event's type has. Any other event is the device's own. */
const arrows: Record<Device, Arrow[]> = {
  headset: [
    ['user.', 'person', 'headset'],
    ['ssh.resolved', 'headset', 'headset'],
    ['ssh.', 'server', 'headset'],
    ['signer.', 'phone', 'headset'],
    ['link.wanted', 'headset', 'headset'],
    ['link.nothingFound', 'headset', 'headset'],
    ['link.', 'phone', 'headset'],
    ['peer.', 'phone', 'headset'],
    ['pairing.', 'phone', 'headset'],
  ],
  phone: [
    ['user.', 'person', 'phone'],
    ['request.expired', 'phone', 'phone'],
    ['request.', 'headset', 'phone'],
    ['link.', 'headset', 'phone'],
    ['pairing.digitsMatched', 'person', 'phone'],
    ['pairing.digitsDiffered', 'person', 'phone'],
    ['pairing.', 'headset', 'phone'],
  ],
};

/** `type`: of an event that a machine on `device` got. */
export function lanesOf(device: Device, type: string): { from: Lane; to: Lane } {
  const [, from, to] = arrows[device].find(([begins]) => type.startsWith(begins)) ?? [
    '',
    device,
    device,
  ];
  return { from, to };
}
