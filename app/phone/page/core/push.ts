/** Web Push (RFC 8030): the browser's permission, and where the signer can reach it. */
import type { PagePushSubscription } from '../../../../adapters/phone-page/actions.ts';
import { fromBase64url } from './bytes.ts';

/** Milliseconds until a worker that is to come has come. */
const PATIENCE = 10_000;

/** In the handler of a tap. `publicKey`: the signer's, of VAPID (RFC 8292). */
export async function subscribeToPush(
  publicKey: string,
): Promise<PagePushSubscription | 'denied' | 'unavailable'> {
  try {
    if ((await Notification.requestPermission()) !== 'granted') return 'denied';
    const applicationServerKey = fromBase64url(publicKey);
    const worker = await readyWorker();
    if (worker === null || applicationServerKey === null) return 'unavailable';
    // One that was made for another key of the signer's would stand in the way.
    await (await worker.pushManager.getSubscription())?.unsubscribe();
    const made = await worker.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey,
    });
    const { endpoint, keys } = made.toJSON();
    const { p256dh, auth } = keys ?? {};
    if (endpoint === undefined || p256dh === undefined || auth === undefined) return 'unavailable';
    return { endpoint, keys: { p256dh, auth } };
  } catch {
    return 'unavailable';
  }
}

export async function unsubscribeFromPush(): Promise<void> {
  try {
    const worker = await navigator.serviceWorker.getRegistration();
    await (await worker?.pushManager.getSubscription())?.unsubscribe();
  } catch {
    // The signer sends nothing any more; what is left of it is the browser's.
  }
}

function readyWorker(): Promise<ServiceWorkerRegistration | null> {
  const late = new Promise<null>((resolve) => {
    setTimeout(() => resolve(null), PATIENCE);
  });
  return Promise.race([navigator.serviceWorker.ready, late]);
}
