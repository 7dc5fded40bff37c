/**
 * The key that the person's verification opened, on its way to the one signature it was opened for.
 * At most one is open at any time.
 */

/** What can be kept: something that erases itself. */
export interface Closable {
  close(): void;
}

export interface OpenedKeys<Key extends Closable> {
  /**
   * Keeps `key` for the request `ref` and closes whatever was kept before. When `signal` is
   * aborted, before or after, the key is closed: the request is no longer wanted.
   */
  keep(ref: string, key: Key, signal?: AbortSignal): void;
  /** Hands over the key kept for exactly `ref`: once, and the caller closes it. Else `null`. */
  take(ref: string): Key | null;
  /** Closes the key kept for `ref`, if it is; without `ref`, whichever is kept. */
  discard(ref?: string): void;
}

export function createOpenedKeys<Key extends Closable>(): OpenedKeys<Key> {
  let kept: { ref: string; key: Key; forget: () => void } | null = null;

  function release(): Key | null {
    const key = kept?.key ?? null;
    kept?.forget();
    kept = null;
    return key;
  }

  return {
    keep(ref, key, signal) {
      release()?.close();
      if (signal?.aborted) return key.close();
      const onAbort = () => {
        if (kept?.key === key) release()?.close();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      kept = { ref, key, forget: () => signal?.removeEventListener('abort', onAbort) };
    },
    take: (ref) => (kept?.ref === ref ? release() : null),
    discard(ref) {
      if (ref === undefined || kept?.ref === ref) release()?.close();
    },
  };
}
