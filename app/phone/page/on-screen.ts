/** The guard of a sheet's taps, told by the page what is painted and pressed. */
import { useEffect, useLayoutEffect, useMemo } from 'preact/hooks';
import { createTapGuard, type TapGuard } from './tap-guard.ts';

/** `what`: the sheet that is drawn; `painted` is told once it can be seen, each time it comes up. */
export function useTapGuard(what: string | null, painted: () => void): TapGuard {
  const guard = useMemo(() => createTapGuard(() => performance.now()), []);

  useEffect(() => {
    const pressed = (event: Event) => guard.pressed(event instanceof KeyboardEvent && event.repeat);
    const types = ['pointerdown', 'keydown'] as const;
    for (const type of types) addEventListener(type, pressed, true);
    return () => {
      for (const type of types) removeEventListener(type, pressed, true);
    };
  }, [guard]);

  useLayoutEffect(() => {
    guard.hidden();
    if (what === null) return undefined;
    let frame = 0;
    // What a frame draws can be seen when the next one begins.
    const wait = () => {
      guard.hidden();
      cancelAnimationFrame(frame);
      if (document.visibilityState !== 'visible') return;
      frame = requestAnimationFrame(() => {
        frame = requestAnimationFrame(() => {
          guard.painted(what);
          painted();
        });
      });
    };
    wait();
    document.addEventListener('visibilitychange', wait);
    return () => {
      document.removeEventListener('visibilitychange', wait);
      cancelAnimationFrame(frame);
    };
  }, [guard, what]);

  return guard;
}
