/** Keeps the screen on while the page can be seen. A browser drops the lock whenever it hides. */

/** Returns what ends it. */
export function keepScreenOn(): () => void {
  let lock: WakeLockSentinel | null = null;
  let isOver = false;

  async function hold(): Promise<void> {
    if (isOver || document.visibilityState !== 'visible' || lock?.released === false) return;
    try {
      const held = await navigator.wakeLock.request('screen');
      if (isOver) await held.release();
      else lock = held;
    } catch {
      // Not here, or not with so little battery left: the screen goes dark as ever.
    }
  }

  const changed = () => void hold();
  document.addEventListener('visibilitychange', changed);
  void hold();
  return () => {
    isOver = true;
    document.removeEventListener('visibilitychange', changed);
    lock?.release().catch(() => {});
  };
}
