/** Bare `signer`, and the first run: what is still missing. */
import type { EventLog } from '../../adapters/event-log/store.ts';
import { openLog } from '../running.ts';
import { identities, pairedHeadsets } from './records.ts';

/** What a person has to do before a login can be approved here; empty when nothing is missing. */
export function missingSteps(log: EventLog): string[] {
  const own = identities(log);
  const steps: string[] = [];
  if (own.length === 0) {
    steps.push(
      'no identity yet: signer identity create LABEL, or in the phone’s page: signer start --web',
      'then authorise it: signer identity install LABEL user@host',
    );
  } else if (!own.some(({ enabled }) => enabled)) {
    steps.push('every identity is disabled: signer identity enable LABEL');
  }
  if (pairedHeadsets(log).length === 0) {
    steps.push('no headset is paired yet: signer pair here, and vmux pair there');
  }
  return steps;
}

/** Resolves with the exit status. */
export function guide(): number {
  const log = openLog('signer');
  const steps = missingSteps(log);
  log.close();
  const lines = steps.length === 0 ? ['ready: signer start'] : steps;
  process.stderr.write(`${lines.join('\n')}\nhint: signer --help lists the commands\n`);
  return 0;
}
