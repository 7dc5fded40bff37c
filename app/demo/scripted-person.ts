/**
 * The person of the demo: reads each sheet and does what the scene wants. They live in this process
 * only; no program that a person uses can be told to approve by itself.
 */
import { fromCallback } from 'xstate';
import { createScriptedVerification } from '../../adapters/biometrics/scripted.ts';
import type { Sheet, SheetCommand, SheetFact } from '../../machines/phone/ports.ts';
import type { Person } from '../phone/phone.ts';

/** How long they look at a sheet that takes an answer. Milliseconds. */
const REACTION = 300;

export type Intention = 'approve' | 'deny' | 'look away';

export interface ScriptedPerson extends Person {
  /** What they do with the next sheets. */
  intend(intention: Intention): void;
  /** The sheet that was last in front of them. */
  lastSheet(): Sheet | null;
}

/**
 * `passphrase`: what they know, and type when they have approved. `readCode`: they look at the
 * headset, and read the code beside its waiting line.
 */
export function createScriptedPerson(passphrase: string, readCode: () => string): ScriptedPerson {
  let intention: Intention = 'look away';
  let sheet: Sheet | null = null;

  function answerTo(type: 'sheet.askCode' | 'sheet.accept', ref: string): SheetFact {
    if (intention === 'deny') return { type: 'user.deny', ref };
    return type === 'sheet.askCode'
      ? { type: 'user.code', ref, code: readCode() }
      : { type: 'user.approve', ref };
  }

  return {
    intend(next) {
      intention = next;
    },
    lastSheet: () => sheet,
    biometrics: (parts) => createScriptedVerification(() => passphrase, parts),
    sheet: fromCallback<SheetCommand, undefined>(({ receive, sendBack }) => {
      let reaction: NodeJS.Timeout | undefined;
      const report = (fact: SheetFact) => sendBack(fact);

      receive((command) => {
        const { ref } = command;
        if (command.type === 'sheet.show') {
          const { type: _, ...shown } = command;
          sheet = shown;
          report({ type: 'sheet.shown', ref });
        } else if (command.type === 'sheet.askCode' || command.type === 'sheet.accept') {
          if (intention === 'look away') return;
          const { type } = command;
          reaction = setTimeout(() => report(answerTo(type, ref)), REACTION);
        } else if (command.type === 'sheet.close') {
          clearTimeout(reaction);
        }
      });
      return () => clearTimeout(reaction);
    }),
  };
}
