/** What shows a person the sheet. There may be several: the phone's page, and the terminal. */
import { fromCallback, type CallbackActorLogic } from 'xstate';
import type { SheetCommand, SheetFact } from '../../machines/phone/ports.ts';

export interface Screen {
  /** The phone has headsets now. What the person does goes to `report` until `close`. */
  open(report: (fact: SheetFact) => void): void;
  obey(command: SheetCommand): void;
  /** It has none any more: a sheet that is left goes. */
  close(): void;
}

/** The sheet port: every screen shows what the chart says, and each can answer. */
export function onScreens(screens: readonly Screen[]): CallbackActorLogic<SheetCommand, undefined> {
  return fromCallback<SheetCommand, undefined>(({ receive, sendBack }) => {
    for (const screen of screens) screen.open(sendBack);
    receive((command) => {
      for (const screen of screens) obeyed(screen, command);
    });
    return () => {
      for (const screen of screens) screen.close();
    };
  });
}

/** A screen that cannot show a sheet must not keep the others from it: they can still deny. */
function obeyed(screen: Screen, command: SheetCommand): void {
  try {
    screen.obey(command);
  } catch {
    screen.close();
  }
}
