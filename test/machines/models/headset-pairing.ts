import { headsetPairingMachine } from '../../../machines/pairing/headset-pairing.machine.ts';
import { machineModel } from '../../support/transition-coverage.ts';

export const model = machineModel({
  machine: headsetPairingMachine,
  input: { deviceName: 'Headset' },
  samples: [
    { type: 'pairing.digitsReady', peerName: 'Phone', pin: 'pin' },
    { type: 'pairing.completed', phone: { id: 'phone', name: 'Phone' } },
    { type: 'pairing.failed', reason: 'pairingTampered' },
  ],
  abstract: () => null,
});
