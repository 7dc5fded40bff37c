import { linkMachine } from '../../../machines/headset/link.machine.ts';
import { machineModel } from '../../support/transition-coverage.ts';

const phone = { id: 'phone', name: 'Phone' };
const other = { id: 'other', name: 'Other phone' };
const endpoint = { address: '192.0.2.1', port: 1 };
const identity = { fingerprint: 'SHA256:a', label: 'a', algorithm: 'p256', publicKey: 'AAAA' };

export const model = machineModel({
  machine: linkMachine,
  input: { phones: [phone], remembered: [] },
  samples: [
    { type: 'phones.changed', phones: [], remembered: [] },
    { type: 'phones.changed', phones: [other], remembered: [] },
    { type: 'phones.changed', phones: [phone, other], remembered: [] },
    { type: 'peer.found', instance: 'instance', endpoints: [endpoint] },
    { type: 'peer.gone', instance: 'instance' },
    { type: 'peer.answered', endpoint, phone },
    { type: 'peer.refused', endpoint, reason: 'phoneForgotHeadset' },
    { type: 'peer.unreachable', endpoint, detail: 'refused' },
    { type: 'link.established', phone, endpoint, protocol: 1, identities: [identity] },
    { type: 'link.identitiesChanged', identities: [] },
    { type: 'link.dropped', detail: 'reset', jitter: 0.5 },
    { type: 'link.unpaired', phone },
  ],
  abstract: ({ phones, found, refused, phone }) => [
    phones.map(({ id }) => id),
    Object.keys(found).length,
    Math.min(refused.length, 1),
    phone?.id,
  ],
});
