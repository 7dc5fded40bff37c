/**
 * What the browser keeps for this page: two stores of IndexedDB, which can hold a key that cannot be
 * read. Each call opens the database anew, since a browser may close it whenever the page sleeps.
 * Every function rejects with the browser's own error when it keeps nothing, as in some private
 * windows.
 */

/** `own`: of this browser, by name. `sealed`: sealed keys, by the fingerprint of the key inside. */
export type StoreName = 'own' | 'sealed';

const NAME = 'signer';
const VERSION = 1;
const stores: readonly StoreName[] = ['own', 'sealed'];

export function readStored(store: StoreName, key: string): Promise<unknown> {
  return transact(store, 'readonly', (kept) => kept.get(key));
}

export function readAllStored(store: StoreName): Promise<unknown[]> {
  return transact(store, 'readonly', (kept) => kept.getAll());
}

/** Resolves once it is durable. */
export async function writeStored(store: StoreName, key: string, value: unknown): Promise<void> {
  await transact(store, 'readwrite', (kept) => kept.put(value, key));
}

export async function eraseStored(store: StoreName, key: string): Promise<void> {
  await transact(store, 'readwrite', (kept) => kept.delete(key));
}

/** Whether something is kept at all: some private windows only say so when it comes to writing. */
export async function checkStorage(): Promise<void> {
  await writeStored('own', 'check', true);
  await eraseStored('own', 'check');
}

/** All of both stores. */
export async function eraseAllStored(): Promise<void> {
  for (const store of stores) await transact(store, 'readwrite', (kept) => kept.clear());
}

async function transact<T>(
  store: StoreName,
  mode: IDBTransactionMode,
  act: (kept: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const database = await openDatabase();
  try {
    const transaction = database.transaction(store, mode, { durability: 'strict' });
    const request = act(transaction.objectStore(store));
    await new Promise<void>((resolve, reject) => {
      transaction.addEventListener('complete', () => resolve());
      transaction.addEventListener('abort', () => reject(transaction.error ?? gaveUp()));
    });
    return request.result;
  } finally {
    database.close();
  }
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.addEventListener('upgradeneeded', () => {
      for (const store of stores) request.result.createObjectStore(store);
    });
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? gaveUp()));
  });
}

/** What is thrown when the browser gives no reason. */
const gaveUp = () => new Error('the browser stored nothing');
