import { openEventLog, type EventLog } from '../../adapters/event-log/store.ts';
import { homeOf, prepareHome, type Program } from '../home.ts';
import { logPath, openLog } from '../running.ts';

/** The program's log, to be read only; made when there is none yet. The caller closes it. */
export function readLog(program: Program): EventLog {
  const home = homeOf(program);
  prepareHome(home);
  try {
    return openEventLog(logPath(home), { readOnly: true });
  } catch (error) {
    // None yet, or beside it is what only a writer may clear up.
    if (!(error instanceof Error) || error.name !== 'LogUnavailable') throw error;
    return openLog(program);
  }
}
