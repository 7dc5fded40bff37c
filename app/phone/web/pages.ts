/** The pages that are open: who they are, what they are told, and what comes from them. */
import type { PageConnection } from '../../../adapters/phone-page/server.ts';
import type {
  PageAction,
  PageMessage,
  PhoneState,
  SignerMessage,
} from '../../../adapters/phone-page/protocol.ts';
import { failures } from '../../../machines/failures.ts';
import { Trouble, WrongUsage } from '../../trouble.ts';
import type { PageScreen } from './page-screen.ts';

export interface PagesParts {
  stateFor(browserId: string): PhoneState;
  /** Resolves with what the page is answered. Throws `Trouble` and `WrongUsage`. */
  perform(action: PageAction, browserId: string): Promise<unknown>;
}

interface Page {
  connection: PageConnection;
  isVisible: boolean;
  /** The state that it has been told, as JSON. */
  told: string;
}

export type Pages = ReturnType<typeof createPages>;

export function createPages() {
  const pages = new Map<string, Page>();
  let parts: PagesParts | null = null;
  let screen: PageScreen | null = null;
  let isTelling = false;

  function tellState(page: Page): void {
    if (parts === null) return;
    const state = parts.stateFor(page.connection.browserId);
    const { now: _, ...compared } = state;
    const text = JSON.stringify(compared);
    if (text === page.told) return;
    page.told = text;
    page.connection.send({ type: 'state', state });
  }

  function receive(page: Page, message: PageMessage): void {
    if (message.type === 'page.visibility') page.isVisible = message.visible;
    else if (message.type === 'ask') void answer(page, message.id, message.action);
    else screen?.receive(page.connection.id, message);
  }

  async function answer({ connection }: Page, id: number, action: PageAction): Promise<void> {
    try {
      const result = (await parts?.perform(action, connection.browserId)) ?? null;
      connection.send({ type: 'reply', id, result });
    } catch (error) {
      connection.send({ type: 'refusal', id, sentence: sentenceOf(error) });
    }
  }

  return {
    /** Before the first page comes. */
    attach(given: PagesParts, sheet: PageScreen): void {
      [parts, screen] = [given, sheet];
    },
    connected(connection: PageConnection): void {
      const page: Page = { connection, isVisible: false, told: '' };
      pages.set(connection.id, page);
      connection.onMessage((message) => receive(page, message));
      connection.onClose(() => {
        pages.delete(connection.id);
        screen?.left(connection.id);
      });
      tellState(page);
      const sheet = screen?.current(connection.id) ?? null;
      if (sheet !== null) connection.send(sheet);
    },
    tell(to: (pageId: string) => SignerMessage): void {
      for (const { connection } of pages.values()) connection.send(to(connection.id));
    },
    /** Something of the state may be new: what changed is told once, after all that happens now. */
    changed(): void {
      if (isTelling) return;
      isTelling = true;
      setImmediate(() => {
        isTelling = false;
        for (const page of pages.values()) tellState(page);
      });
    },
    isAnyVisible: () => pages.values().some(({ isVisible }) => isVisible),
    count: () => pages.size,
  };
}

/** What is no word for people stays here. */
function sentenceOf(error: unknown): string {
  if (error instanceof WrongUsage) return error.message;
  if (error instanceof Trouble) return failures[error.reason].message;
  return 'The signer could not do that. Look at its terminal.';
}
