/** A page that is older than its signer loads itself anew: once, so that it cannot go on forever. */

const MARK = 'reloaded';

export function reloadOnce(): void {
  try {
    if (sessionStorage.getItem(MARK) !== null) return;
    sessionStorage.setItem(MARK, '1');
  } catch {
    // What cannot be remembered would be done forever.
    return;
  }
  location.reload();
}

/** Page and signer agree: the next disagreement is a new one. */
export function reloaded(): void {
  try {
    sessionStorage.removeItem(MARK);
  } catch {
    // Nothing was marked.
  }
}
