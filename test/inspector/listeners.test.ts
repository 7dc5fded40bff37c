import { expect, it } from 'vitest';
import { listenersOf } from '../../app/inspector/listeners.ts';

it('something is watched from the first listener to the last, and each is told', () => {
  const seen: string[] = [];
  const told: (() => void)[] = [];
  const onChange = listenersOf((telling) => {
    seen.push('watch');
    told.push(telling);
    return () => void seen.push('stop');
  });
  const listener = () => void seen.push('told');
  const [one, other] = [onChange(listener), onChange(listener)];
  told[0]?.();
  one();
  one();
  told[0]?.();
  other();
  onChange(listener)();
  expect(seen).toEqual(['watch', 'told', 'told', 'told', 'stop', 'watch', 'stop']);
});
