/** What was asked, and what came of it. */
import type { ActivityRow, PhoneState } from '../../../adapters/phone-page/state.ts';
import { Foreign, Fingerprint, Host } from './foreign.tsx';
import { Heading } from './heading.tsx';
import { Icon, type IconName } from './icons.tsx';
import { Group } from './list.tsx';
import { dayWords, timeWords } from './words.ts';

type Outcome = ActivityRow['outcome'];

const outcomeName: Record<Outcome, string> = {
  signed: 'Signed',
  denied: 'Denied',
  expired: 'Expired',
  withdrawn: 'Withdrawn',
  failed: 'Refused',
};

const outcomeIcon: Record<Outcome, IconName> = {
  signed: 'check',
  denied: 'cross',
  expired: 'clock',
  withdrawn: 'undo',
  failed: 'warning',
};

export function ActivityScreen({ state }: { state: PhoneState }) {
  const days = Map.groupBy(state.activity, ({ at }) => dayWords(at, state.now));
  return (
    <>
      <Heading title="Activity" />
      {state.activity.length === 0 && (
        <p class="nothing">
          Nothing was asked yet. Every request stands here, with what came of it.
        </p>
      )}
      {[...days].map(([day, rows]) => (
        <Group key={day} title={day}>
          <ul>
            {rows.map((row) => (
              <ActivityLine key={row.ref} row={row} now={state.now} />
            ))}
          </ul>
        </Group>
      ))}
      {state.activity.some(({ hasReceipt }) => hasReceipt) && (
        <p class="note">
          <Icon name="receipt" class="inline" /> A receipt is kept: with it anybody can check that
          you were verified for that signature. <code>signer log</code> has the whole record.
        </p>
      )}
    </>
  );
}

interface ActivityLineProps {
  row: ActivityRow;
  now: number;
  /** With its day, where nothing around it says which. */
  isDated?: boolean;
}

export function ActivityLine({ row, now, isDated = false }: ActivityLineProps) {
  const { outcome, at, user, host, deviceName, label, why } = row;
  const day = dayWords(at, now);
  return (
    <li class="row activity">
      <span class={`outcome ${outcome}`}>
        <Icon name={outcomeIcon[outcome]} />
      </span>
      <span class="row-text">
        <span class="row-title">
          {row.kind === 'sshsig' || user === '' ? 'A signature' : <Foreign text={user} max={40} />}
          {user !== '' && host !== '' && (
            <>
              @<Host name={host} />
            </>
          )}
        </span>
        <span class="row-detail">
          <span class={`outcome-word ${outcome}`}>{outcomeName[outcome]}</span>
          {' · from '}
          <Foreign text={deviceName} max={40} />
          {label !== '' && (
            <>
              {' · '}
              <Foreign text={label} max={40} />
            </>
          )}
        </span>
        {why !== null && <span class="row-detail">{why}</span>}
        {label === '' && row.fingerprint !== '' && <Fingerprint text={row.fingerprint} />}
      </span>
      <span class="row-value">
        {row.hasReceipt && (
          <span class="receipt" role="img" aria-label="receipt kept">
            <Icon name="receipt" />
          </span>
        )}
        <time dateTime={new Date(at).toISOString()}>
          {isDated && day !== 'Today' && `${day}, `}
          {timeWords(at)}
        </time>
      </span>
    </li>
  );
}
