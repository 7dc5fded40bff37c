/** Being woken by Web Push, where the person and the browser let the page. */
import type { PagePushSubscription } from '../../../../adapters/phone-page/actions.ts';
import { fromBase64url } from './bytes.ts';

/** In the handler of a tap, since it asks the person. */
export async function subscribe(
  serverKey: string,
): Promise<PagePushSubscription | 'denied' | 'unavailable'> {
  if ((await Notification.requestPermission()) !== 'granted') return 'denied';
  try {
    const worker = await navigator.serviceWorker.ready;
    const subscription = await worker.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: fromBase64url(serverKey),
    });
    const { endpoint, keys } = subscription.toJSON();
    const { p256dh, auth } = keys ?? {};
    if (endpoint === undefined || p256dh === undefined || auth === undefined) return 'unavailable';
    return { endpoint, keys: { p256dh, auth } };
  } catch {
    return 'unavailable';
  }
}

export async function unsubscribe(): Promise<void> {
  const worker = await navigator.serviceWorker.getRegistration();
  const subscription = await worker?.pushManager.getSubscription();
  await subscription?.unsubscribe();
}
