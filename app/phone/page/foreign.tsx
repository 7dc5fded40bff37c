/** Foreign text in the page: spelled out as on a terminal, and kept from reordering its neighbours. */
import { showForeign } from '../../terminal/foreign-text.ts';
import { showHost } from '../destination-words.ts';

/** `max`: cells, as on a terminal. */
export const Foreign = ({ text, max = 64 }: { text: string; max?: number }) => (
  <bdi>{showForeign(text, max)}</bdi>
);

export const Host = ({ name }: { name: string }) => <bdi>{showHost(name)}</bdi>;

/** A key's fingerprint, broken only where a line has to be. */
export const Fingerprint = ({ text }: { text: string }) => (
  <code class="fingerprint">{showForeign(text, 80)}</code>
);
