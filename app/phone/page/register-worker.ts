/** The page's worker, `sw.ts`. */

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(address: string): string },
  ): { createScriptURL(address: string): string };
}

const WORKER = '/sw.js';

/** The one address of a script that the page makes itself, for its policy `page`. */
function workerAddress(): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  const policy = trustedTypes?.createPolicy('page', { createScriptURL: () => WORKER });
  return policy?.createScriptURL(WORKER) ?? WORKER;
}

/** Without it the page works the same, but for push and for being opened while `signer` is away. */
export function registerWorker(): void {
  if (!('serviceWorker' in navigator)) return;
  navigator.serviceWorker.register(workerAddress(), { scope: '/' }).catch(() => {});
}
