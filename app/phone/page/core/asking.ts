/** Questions to the signer, each with its answer. */
import type { PageAction } from '../../../../adapters/phone-page/actions.ts';
import type { PageMessage, SignerMessage } from '../../../../adapters/phone-page/protocol.ts';

type Answer = Extract<SignerMessage, { id: number }>;

export function createAsking(send: (message: PageMessage) => boolean) {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let last = 0;
  return {
    /** Rejects with an `Error` whose message is a sentence for the person. */
    ask(action: PageAction): Promise<unknown> {
      last += 1;
      const answer = Promise.withResolvers<unknown>();
      if (send({ type: 'ask', id: last, action })) waiting.set(last, answer);
      else answer.reject(new Error('The signer cannot be reached now.'));
      return answer.promise;
    },
    answered(message: Answer): void {
      const answer = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.type === 'reply') answer?.resolve(message.result);
      else answer?.reject(new Error(message.sentence));
    },
    /** No answer will come any more. */
    lost(): void {
      const all = [...waiting.values()];
      waiting.clear();
      for (const { reject } of all) reject(new Error('The connection to the signer was lost.'));
    },
  };
}
