/** A page that is older than its signer loads itself anew: once, so that it cannot go on forever. */

const MARK = 'reloaded';

/** `false`: it was already. */
export function reloadOnce(): boolean {
  try {
    if (sessionStorage.getItem(MARK) !== null) return false;
    sessionStorage.setItem(MARK, '1');
  } catch {
    // What cannot be remembered would be done forever.
    return false;
  }
  location.reload();
  return true;
}

/** Page and signer agree: the next disagreement is a new one. */
export function reloaded(): void {
  try {
    sessionStorage.removeItem(MARK);
  } catch {
    // Nothing was marked.
  }
}
