/** This device's own certificate and key for links: `device.json` in the state directory, 0600. */
import { join } from 'node:path';
import { z } from 'zod';
import { createDeviceIdentity, type DeviceIdentity } from '../adapters/link/certificate.ts';
import { createPrivateFile, readPrivateFile } from './home.ts';
import { Trouble } from './trouble.ts';

const schema = z.strictObject({
  privateKeyPem: z.string(),
  certificatePem: z.string(),
  pin: z.string(),
});

/** Reads it, or makes it on first use. @throws {Trouble} `stateUnusable` when the file is damaged. */
export async function deviceIdentity(home: string): Promise<DeviceIdentity> {
  const path = join(home, 'device.json');
  const text = readPrivateFile(path);
  if (text !== null) {
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      throw new Trouble('stateUnusable', 'device.json is damaged; remove it and pair again');
    }
  }
  const identity = await createDeviceIdentity();
  const isFirst = createPrivateFile(path, `${JSON.stringify(identity)}\n`);
  return isFirst ? identity : deviceIdentity(home);
}
