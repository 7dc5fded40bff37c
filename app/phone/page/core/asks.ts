/** What the page asks of the signer, each with its answer. */
import type { PageAction } from '../../../../adapters/phone-page/actions.ts';
import type { PageMessage } from '../../../../adapters/phone-page/protocol.ts';

/** The signer has said no: nothing was changed. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

interface Asked {
  action: PageAction;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export type Asks = ReturnType<typeof createAsks>;

/** Milliseconds that the signer has to answer. */
const PATIENCE = 20_000;

/** `isUp`: whether `send` reaches the signer. */
export function createAsks(send: (message: PageMessage) => void, isUp: () => boolean) {
  const open = new Map<number, Asked>();
  let last = 0;

  function take(id: number): Asked | undefined {
    const asked = open.get(id);
    open.delete(id);
    return asked;
  }

  return {
    /** Rejects with an `Error` whose message is a sentence for the person. */
    ask(action: PageAction): Promise<unknown> {
      if (!isUp()) {
        return Promise.reject(new Error('The signer cannot be reached: nothing was changed.'));
      }
      last += 1;
      const id = last;
      return new Promise<unknown>((resolve, reject) => {
        open.set(id, { action, resolve, reject });
        setTimeout(() => take(id)?.reject(new Error('The signer did not answer.')), PATIENCE);
        send({ type: 'ask', id, action });
      });
    },
    replied: (id: number, result: unknown) => take(id)?.resolve(result),
    refused: (id: number, sentence: string) => take(id)?.reject(new Refused(sentence)),
    /** `isUnpaired`: which may be the very thing that was asked for. */
    lost(isUnpaired: boolean): void {
      for (const { action, resolve, reject } of open.values()) {
        if (isUnpaired && action.do === 'browser.remove') resolve(null);
        else reject(new Error('The connection was lost before the signer answered.'));
      }
      open.clear();
    },
  };
}
