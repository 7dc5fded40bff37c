/** What came of the requests to this phone: a projection of its recorded runs. */
import type { EventLog } from '../../../adapters/event-log/store.ts';
import type { ActivityRow } from '../../../adapters/phone-page/state.ts';
import { failures } from '../../../machines/failures.ts';
import type { Answer, SignRequest } from '../../../machines/phone/ports.ts';
import { signerMachine } from '../../../machines/phone/signer.machine.ts';
import { createRecordedRuns } from '../../inspector/recorded-runs.ts';
import type { Run } from '../../inspector/run.ts';
import { createRequestReader, type RecordedRequest } from '../../inspector/signer-requests.ts';
import { identities } from '../records.ts';
import { keptReceipts } from '../receipts.ts';

const MOST = 200;

/** Calling the result reads on from where the last call ended. Latest first. */
export function activityOf(log: EventLog): () => ActivityRow[] {
  const runs = createRecordedRuns(log, new Map([['signer', signerMachine]]));
  const requestsIn = createRequestReader();

  return () => {
    runs.catchUp();
    const labels = new Map(identities(log).map(({ fingerprint, label }) => [fingerprint, label]));
    const kept = new Set(keptReceipts(log));
    const rows: ActivityRow[] = [];
    for (const stream of runs.names().toReversed()) {
      const run = runs.of(stream);
      if (run === null) continue;
      for (const request of requestsIn(run).toReversed()) {
        if (request.end !== null) rows.push(rowOf(run, request, labels, kept));
      }
      if (rows.length >= MOST) break;
    }
    return rows.toSorted((one, other) => other.at - one.at).slice(0, MOST);
  };
}

function rowOf(
  run: Run,
  { ref, arrival, end, answer }: RecordedRequest,
  labels: ReadonlyMap<string, string>,
  kept: ReadonlySet<string>,
): ActivityRow {
  const asked = run.envelopes[arrival - 1]?.data as unknown as Partial<SignRequest>;
  const {
    fingerprint = '',
    host = '',
    user = '',
    deviceName = '',
    kind = null,
    challengeHash = '',
  } = asked;
  return {
    ref,
    at: run.envelopes[(end ?? arrival) - 1]?.at ?? 0,
    outcome: answer?.outcome ?? 'withdrawn',
    why: answer === null ? null : whyOf(answer),
    kind,
    host,
    user,
    deviceName,
    label: labels.get(fingerprint) ?? '',
    fingerprint,
    hasReceipt: answer?.outcome === 'signed' && kept.has(challengeHash),
  };
}

/** A sentence, where the outcome does not say it already. */
function whyOf(answer: Answer): string | null {
  if (answer.outcome === 'failed') return failures[answer.reason].message;
  if (answer.outcome === 'denied' && answer.why !== 'denied') return failures[answer.why].message;
  return null;
}
