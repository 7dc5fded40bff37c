/** One login, as both devices record it. */
import { connectionMachine } from '../../machines/headset/connection.machine.ts';
import { linkMachine } from '../../machines/headset/link.machine.ts';
import { signerMachine } from '../../machines/phone/signer.machine.ts';
import { enabled, hostKey, vouchedBy } from '../support/story-signer.ts';
import { recordedDevice, settled, tell, type RecordedDevice } from './recorded-devices.ts';

export const IDS = {
  connection: '00000000-0000-4000-8000-00000000000c',
  link: '00000000-0000-4000-8000-00000000000a',
  signer: '00000000-0000-4000-8000-000000000005',
  request: '00000000-0000-4000-8000-0000000000f1',
  device: '00000000-0000-4000-8000-0000000000d1',
};

export const CONNECTION = `connection/${IDS.connection}`;
export const LINK = `link/${IDS.link}`;
export const SIGNER = `signer/${IDS.signer}`;
export const REQUEST = `${SIGNER}/${IDS.request}`;

const phone = { id: 'phone-1', name: 'iPhone' };
const endpoint = { address: '192.0.2.7', port: 7022 };
const work = enabled('work');
const { enabled: _, ...identity } = work;
const { request: requestId, device: deviceId } = IDS;
const ref = `${deviceId}/${requestId}`;

export interface RecordedLogin {
  headset: RecordedDevice;
  phone: RecordedDevice;
  /** Everything that both recorded, in the order in which it really happened. */
  truth: string[];
}

/**
 * From Connect to the shell. The phone's clock is `skew` milliseconds ahead; between two devices
 * nothing takes any time when `gap` is 0.
 */
export async function recordLogin(skew = 0, gap = 10): Promise<RecordedLogin> {
  const headset = recordedDevice('headset');
  const phoneSide = recordedDevice('phone', skew);
  const truth: string[] = [];

  const signer = phoneSide.start(
    'signer',
    signerMachine,
    { port: 7022, identities: [work] },
    IDS.signer,
  );
  tell(signer, gap, { type: 'advertiser.published', instance: 'instance' });
  const link = headset.start('link', linkMachine, { phones: [phone], remembered: [] }, IDS.link);
  tell(link, gap, { type: 'app.started' });
  const connection = headset.start(
    'connection',
    connectionMachine,
    { flowId: 'flow-1', host: 'bench', port: null, user: 'root', preferred: null },
    IDS.connection,
  );
  const note = (...types: string[]) => truth.push(...types);

  tell(
    connection,
    gap,
    { type: 'user.connect' },
    { type: 'ssh.resolved', at: at(), hostname: '192.0.2.2', port: 22, user: 'root' },
    { type: 'ssh.hostKeyKnown', at: at(), ...hostKey('bench') },
    { type: 'ssh.publickeyWanted', at: at(), methods: ['publickey'] },
  );
  tell(link, gap, { type: 'peer.found', instance: 'instance', endpoints: [endpoint] });
  tell(link, gap, { type: 'peer.answered', endpoint, phone });
  tell(signer, gap, { type: 'link.opened', linkId: 'link-1', deviceId, deviceName: 'visor' });
  tell(link, gap, {
    type: 'link.established',
    phone,
    endpoint,
    protocol: 2,
    identities: [identity],
  });
  tell(connection, gap, { type: 'link.up', at: at(), phone, identities: [identity] });
  tell(connection, gap, {
    type: 'ssh.identityAccepted',
    at: at(),
    fingerprint: identity.fingerprint,
    requestId,
    challengeHash: 'challenge',
    code: '42',
  });
  note('ssh.identityAccepted');
  tell(signer, gap, {
    type: 'request.received',
    ref,
    linkId: 'link-1',
    deviceId,
    deviceName: 'visor',
    host: 'bench',
    port: 22,
    code: '42',
    proof: vouchedBy('bench'),
    user: 'root',
    fingerprint: identity.fingerprint,
    challengeHash: 'challenge',
    kind: 'publickey',
    detail: null,
    ttl: 9_750,
    queueTtl: 59_750,
    sheetTtl: 9_750,
  });
  tell(signer, gap, { type: 'sheet.shown', ref });
  note('request.received', 'sheet.shown');
  tell(connection, gap, { type: 'signer.presented', at: at(), requestId });
  note('signer.presented');
  signer.pass(700);
  note('xstate.after.settle.signer.awake.linked.reviewing.settling');
  tell(signer, gap, { type: 'user.code', ref, code: '42' }, { type: 'user.approve', ref });
  note('user.code', 'user.approve');
  await settled();
  note('xstate.done.actor.biometrics', 'xstate.done.actor.keys');
  tell(connection, gap, { type: 'signer.signed', at: at(), requestId, signatureHash: 'signature' });
  tell(connection, gap, { type: 'ssh.authenticated', at: at() });
  note('signer.signed', 'ssh.authenticated');
  tell(link, gap, { type: 'link.dropped', detail: 'asleep', jitter: 0.5 });
  tell(connection, gap, { type: 'ssh.closed', at: at(), status: 0, signal: null, detail: '' });
  note('link.dropped', 'ssh.closed');
  connection.stop();
  link.stop();
  return { headset, phone: phoneSide, truth };
}

/** A process's monotonic clock. */
const at = () => performance.now();
