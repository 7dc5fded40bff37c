/** What this browser keeps: its device key, and copies of the keys that its passkeys seal. */
import type { SealedByPasskey } from '../../../../adapters/phone-page/protocol.ts';

export interface Device {
  browserId: string;
  /** The private half cannot be read, here or anywhere. */
  keys: CryptoKeyPair;
}

const NAME = 'signer';
const DEVICE = 'device';
const SEALED = 'sealed';

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.addEventListener('upgradeneeded', () => {
      request.result.createObjectStore(DEVICE);
      request.result.createObjectStore(SEALED);
    });
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('no storage')));
  });
}

async function run<T>(
  name: string,
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const database = await open();
  try {
    return await new Promise<T>((resolve, reject) => {
      const transaction = database.transaction(name, mode);
      const request = work(transaction.objectStore(name));
      transaction.addEventListener('complete', () => resolve(request.result));
      transaction.addEventListener('abort', () =>
        reject(transaction.error ?? new Error('not stored')),
      );
    });
  } finally {
    database.close();
  }
}

export const loadDevice = async (): Promise<Device | null> =>
  ((await run(DEVICE, 'readonly', (store) => store.get('own'))) as Device | undefined) ?? null;

export const saveDevice = (device: Device): Promise<unknown> =>
  run(DEVICE, 'readwrite', (store) => store.put(device, 'own'));

export const forgetDevice = (): Promise<unknown> =>
  run(DEVICE, 'readwrite', (store) => store.clear());

/** By the fingerprint of its identity. */
export const loadSealed = async (fingerprint: string): Promise<SealedByPasskey | null> =>
  ((await run(SEALED, 'readonly', (store) => store.get(fingerprint))) as
    SealedByPasskey | undefined) ?? null;

export const saveSealed = (fingerprint: string, sealed: SealedByPasskey): Promise<unknown> =>
  run(SEALED, 'readwrite', (store) => store.put(sealed, fingerprint));

export const forgetSealed = (fingerprint: string): Promise<unknown> =>
  run(SEALED, 'readwrite', (store) => store.delete(fingerprint));
