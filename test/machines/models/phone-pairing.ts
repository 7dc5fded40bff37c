import { phonePairingMachine } from '../../../machines/pairing/phone-pairing.machine.ts';
import { machineModel } from '../../support/transition-coverage.ts';

export const model = machineModel({
  machine: phonePairingMachine,
  input: { deviceName: 'Phone' },
  samples: [
    { type: 'pairing.digitsReady', peerName: 'Headset', pin: 'pin' },
    { type: 'pairing.completed', deviceId: 'device' },
    { type: 'pairing.failed', reason: 'pairingTampered' },
  ],
  abstract: ({ tries }) => tries,
});
