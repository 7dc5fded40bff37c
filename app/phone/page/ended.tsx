/** What became of the last sheet, for a few seconds. */
import { endings } from '../sheet-words.ts';
import { Foreign, Host } from './foreign.tsx';
import { Icon } from './icons.tsx';
import type { EndedSheet } from './port.ts';
import { useNow } from './snapshot.ts';

/** The region is always there: what comes into it is read out. */
export function Ended({ ended }: { ended: EndedSheet | null }) {
  const now = useNow(500);
  return (
    <div class="toast-place" role="status">
      {ended !== null && now < ended.until && <Toast key={ended.ref} ended={ended} />}
    </div>
  );
}

function Toast({ ended }: { ended: EndedSheet }) {
  const { outcome, user, host, isTooLate } = ended;
  const isSigned = outcome === 'signed';
  return (
    <p class={`toast ${isSigned ? 'good' : ''}`}>
      <Icon name={isSigned ? 'check' : isTooLate ? 'clock' : 'cross'} />
      <span>
        {user === '' ? 'A signature' : <Foreign text={user} max={40} />}
        {user !== '' && host !== '' && (
          <>
            @<Host name={host} />
          </>
        )}
        : {isTooLate ? <strong>Too late, nothing was signed.</strong> : endings[outcome]}
      </span>
    </p>
  );
}
