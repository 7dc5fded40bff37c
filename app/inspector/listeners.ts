/**
 * `onChange` of something that is watched only while somebody listens: `watch` is called with the
 * first listener, and its result after the last one has gone.
 */
export function listenersOf(
  watch: (tell: () => void) => () => void,
): (listener: () => void) => () => void {
  const listeners = new Set<() => void>();
  let stop: (() => void) | null = null;
  const tell = () => {
    for (const listener of listeners) listener();
  };
  return (listener) => {
    // The same function may listen twice.
    const own = () => listener();
    listeners.add(own);
    stop ??= watch(tell);
    return () => {
      if (!listeners.delete(own) || listeners.size > 0) return;
      stop?.();
      stop = null;
    };
  };
}
