/** What the screens have from the phone behind them. */
import { createContext } from 'preact';
import { useContext, useEffect, useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { Phone, PageSnapshot } from './port.ts';

export const PhoneContext = createContext<Phone | null>(null);

export function usePhone(): Phone {
  const phone = useContext(PhoneContext);
  if (phone === null) throw new Error('no phone above this screen');
  return phone;
}

export function useSnapshot(phone: Phone): PageSnapshot {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useLayoutEffect(() => phone.subscribe(() => redraw(undefined)), [phone]);
  return phone.snapshot();
}

/** `performance.now()`, drawn anew every `period` milliseconds. */
export function useNow(period: number): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), period);
    return () => clearInterval(timer);
  }, [period]);
  return now;
}

export interface Act {
  readonly isBusy: boolean;
  /** Why the last one failed: a sentence. */
  readonly problem: string | null;
  /** One at a time: while it goes on, others are ignored. */
  run(work: () => Promise<unknown>, done?: () => void): void;
}

/** What a tap sets going, and the sentence when that fails. */
export function useAct(): Act {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const going = useRef(false);
  return {
    isBusy,
    problem,
    run(work, done) {
      if (going.current) return;
      going.current = true;
      setBusy(true);
      setProblem(null);
      work()
        .then(() => done?.())
        .catch((error: unknown) => setProblem(sentenceOf(error)))
        .finally(() => {
          going.current = false;
          setBusy(false);
        });
    },
  };
}

const sentenceOf = (error: unknown) =>
  error instanceof Error && error.message !== '' ? error.message : 'That did not work.';
