/** The pages that are open: who they are, what they are told, and what comes from them. */
import type { PageConnection } from '../../../adapters/phone-page/server.ts';
import type { PageAction } from '../../../adapters/phone-page/actions.ts';
import {
  closeCodes,
  type PageMessage,
  type SignerMessage,
} from '../../../adapters/phone-page/protocol.ts';
import type { PhoneState } from '../../../adapters/phone-page/state.ts';
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
  /** Of connections, in the order in which they were opened. */
  number: number;
  /** Of the loading of the page that speaks on it; empty before it said so. */
  document: string;
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
  let connected = 0;

  function tellState(page: Page): void {
    const state = stateFor(page);
    if (state === null) return;
    const { now: _, ...compared } = state;
    const text = JSON.stringify(compared);
    if (text === page.told) return;
    page.told = text;
    page.connection.send({ type: 'state', state });
  }

  /** `null`: it cannot be read now. A log that fails for good ends the program by itself. */
  function stateFor({ connection }: Page): PhoneState | null {
    try {
      return parts?.stateFor(connection.browserId) ?? null;
    } catch {
      return null;
    }
  }

  function receive(page: Page, message: PageMessage): void {
    if (message.type === 'page.visibility') {
      page.isVisible = message.visible;
      replaceOlder(page, message.document);
    } else if (message.type === 'ask') void answer(page, message.id, message.action);
    else screen?.receive(page.connection.id, message);
  }

  /** A page that comes again has lost its other socket, which may not have been noticed here. */
  function replaceOlder(page: Page, document: string): void {
    page.document = document;
    const { browserId } = page.connection;
    for (const other of pages.values()) {
      const isSame = other.document === document && other.connection.browserId === browserId;
      if (!isSame || other.number >= page.number) continue;
      left(other);
      other.connection.close(closeCodes.ended);
    }
  }

  function left({ connection }: Page): void {
    if (pages.delete(connection.id)) screen?.left(connection.id);
  }

  function greet(page: Page): void {
    const { connection } = page;
    pages.set(connection.id, page);
    tellState(page);
    const sheet = screen?.current(connection.id) ?? null;
    if (sheet !== null) connection.send(sheet);
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
      connected += 1;
      const page: Page = {
        connection,
        number: connected,
        document: '',
        isVisible: false,
        told: '',
      };
      let isGreeted = false;
      // A cookie alone gets nothing: only who signs is told anything.
      connection.onMessage((message) => {
        receive(page, message);
        if (!isGreeted) greet(page);
        isGreeted = true;
      });
      connection.onClose(() => left(page));
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
