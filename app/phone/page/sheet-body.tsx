/** What a sheet says of its request: user, key and host key from the bytes, the rest as claimed. */
import { destinationWords, isOnlySaid, wayWords } from '../destination-words.ts';
import { pinnedAs, signatureWords } from '../sheet-words.ts';
import { Foreign, Fingerprint, Host } from './foreign.tsx';
import { FactRow, SwitchRow } from './list.tsx';
import type { Badge } from '../../../machines/phone/destination.ts';
import type { PageSheet } from '../../../adapters/phone-page/protocol.ts';
import type { ReadBytes, ShownSheet } from './port.ts';

interface SheetBodyProps {
  shown: ShownSheet;
  /** What is claimed is not to be believed: nothing of it is vouched for by a badge or a code. */
  isDoubtful: boolean;
  onPin(pin: boolean): void;
}

export function SheetBody({ shown: { sheet, read }, isDoubtful, onPin }: SheetBodyProps) {
  const way = wayWords(sheet);
  return (
    <>
      <Route sheet={sheet} read={read} isDoubtful={isDoubtful} />
      <div class="card facts">
        {read !== null && read.kind !== 'sshsig' && (
          <FactRow name="User">
            <strong>
              <Foreign text={read.user} />
            </strong>
          </FactRow>
        )}
        {read?.kind === 'sshsig' && (
          <FactRow name="Namespace">
            <Foreign text={read.namespace} />
          </FactRow>
        )}
        <FactRow name="Key">
          <Foreign text={sheet.label} />
          <Fingerprint text={keyOf(sheet, read)} />
        </FactRow>
        {read !== null && 'hostKey' in read && read.hostKey !== null && (
          <FactRow name="Host key">
            <Fingerprint text={read.hostKey} />
          </FactRow>
        )}
        {way !== null && (
          <FactRow name="Via">
            <bdi>{way}</bdi>
          </FactRow>
        )}
        <Detail sheet={sheet} read={read} />
        {sheet.canPin && !isDoubtful && (
          <SwitchRow
            label="Remember this host"
            detail={<bdi>{pinnedAs(sheet)}</bdi>}
            isOn={sheet.pin}
            onChange={onPin}
          />
        )}
      </div>
      {sheet.code !== null && !isDoubtful && (
        <div class="match">
          <strong class="match-code">{sheet.code}</strong>
          <span>
            The same as on <Foreign text={sheet.deviceName} max={40} />?
          </span>
        </div>
      )}
    </>
  );
}

/** A signature that is no login names no key in its bytes. */
const keyOf = (sheet: PageSheet, read: ReadBytes | null) =>
  read === null || read.kind === 'sshsig' ? sheet.fingerprint : read.fingerprint;

interface RouteProps {
  sheet: PageSheet;
  read: ReadBytes | null;
  isDoubtful: boolean;
}

function Route({ sheet, read, isDoubtful }: RouteProps) {
  const isSignature = read === null ? sheet.kind === 'sshsig' : read.kind === 'sshsig';
  return (
    <div class="route">
      <div id="sheet-route">
        <p class="route-from">
          From <Foreign text={sheet.deviceName} max={40} />
        </p>
        <p class="route-arrow">
          <span aria-hidden="true">→ </span>
          <span class="unseen">to </span>
          <span class="route-to">
            {isSignature ? (
              'a signature'
            ) : sheet.host === '' ? (
              '(not named)'
            ) : (
              <Host name={sheet.host} />
            )}
          </span>
        </p>
      </div>
      {!isSignature && (isDoubtful || isOnlySaid(sheet.badge)) && sheet.host !== '' && (
        <p class="said">
          said by <Foreign text={sheet.deviceName} max={40} />
        </p>
      )}
      {isSignature ? (
        <p class="badge-words">{signatureWords}</p>
      ) : (
        !isDoubtful && <BadgeWords sheet={sheet} />
      )}
    </div>
  );
}

function BadgeWords({ sheet }: { sheet: PageSheet }) {
  const { badge } = sheet.badge;
  const words = destinationWords(sheet) ?? '';
  const name = badgeName[badge];
  const isRepeated = words.startsWith(`${name}: `);
  return (
    <>
      <p class={`badge ${toneOf[badge]}`}>{name}</p>
      <p class="badge-words">
        <bdi>{isRepeated ? words.slice(name.length + 2) : words}</bdi>
      </p>
    </>
  );
}

const badgeName: Record<Badge['badge'], string> = {
  known: 'Known host',
  knownAs: 'Known under another name',
  newHost: 'New host',
  newKeyType: 'New key type',
  vouched: 'Vouched for',
  changed: 'CHANGED',
  notProven: 'Not proven',
  signature: 'Signature',
};

const toneOf: Record<Badge['badge'], 'good' | 'care' | 'bad' | 'plain'> = {
  known: 'good',
  knownAs: 'care',
  newHost: 'care',
  newKeyType: 'care',
  vouched: 'care',
  changed: 'bad',
  notProven: 'plain',
  signature: 'plain',
};

function Detail({ sheet, read }: { sheet: PageSheet; read: ReadBytes | null }) {
  if (read?.kind === 'sshsig') return null;
  const certificate = read?.certificate ?? null;
  if (certificate !== null) {
    return (
      <FactRow name="Certificate">
        for{' '}
        {certificate.principals.length === 0
          ? 'anybody'
          : certificate.principals.map((one, i) => (
              <>
                {i > 0 && ', '}
                <Foreign text={one} max={40} />
              </>
            ))}
        <Fingerprint text={certificate.ca} />
      </FactRow>
    );
  }
  if (sheet.detail === null) return null;
  return (
    <FactRow name="Also">
      <Foreign text={sheet.detail} max={160} />
    </FactRow>
  );
}
