/** One identity: where its key lives, its line, and what can be done with it. */
import { useState } from 'preact/hooks';
import type { PageIdentity } from '../../../adapters/phone-page/state.ts';
import { Confirm } from './confirm.tsx';
import { Fingerprint, Foreign } from './foreign.tsx';
import { Heading } from './heading.tsx';
import { ActionRow, FactRow, Group, Problem, SwitchRow } from './list.tsx';
import { PublicLine } from './public-line.tsx';
import { RenameRow } from './rename-row.tsx';
import { hrefOf, replaceRoute } from './route.ts';
import { useAct, usePhone } from './snapshot.ts';
import { dateWords, placeName, placeWords } from './words.ts';

export function IdentityScreen({ identity }: { identity: PageIdentity }) {
  const phone = usePhone();
  const act = useAct();
  const [isRemoving, setRemoving] = useState(false);
  const { fingerprint, label, enabled } = identity;
  return (
    <>
      <Heading
        title={<Foreign text={label} />}
        back={{ href: hrefOf('identities'), name: 'Identities' }}
      />
      <Problem text={act.problem} />
      <Group>
        <SwitchRow
          label="Enabled"
          detail="Headsets are offered it, and may ask for signatures."
          isOn={enabled}
          disabled={act.isBusy}
          onChange={(isOn) => {
            const what = isOn ? 'identity.enable' : 'identity.disable';
            act.run(() => phone.ask({ do: what, fingerprint }));
          }}
        />
        <RenameRow
          label="Name"
          name={label}
          act={act}
          onRename={(name) => phone.ask({ do: 'identity.rename', fingerprint, label: name })}
        />
      </Group>
      <Group title="Where its key lives">
        <div class="row place">
          <span class="row-text">
            <span class="row-title">{placeName[identity.place]}</span>
            <span class="row-detail">{placeWords(identity)}</span>
          </span>
        </div>
      </Group>
      <PublicLine identity={identity} />
      <Group title="About">
        <FactRow name="Fingerprint">
          <Fingerprint text={fingerprint} />
        </FactRow>
        <FactRow name="Algorithm">{identity.algorithm}</FactRow>
        <FactRow name="Created">{dateWords(identity.createdAt)}</FactRow>
        <FactRow name="Logs in to">
          {identity.allowed.length === 0
            ? 'Any server'
            : identity.allowed.map((one) => (
                <span key={one} class="line-of">
                  <Foreign text={one} max={80} />
                </span>
              ))}
        </FactRow>
      </Group>
      <Group>
        <ActionRow label="Remove identity…" tone="danger" onTap={() => setRemoving(true)} />
      </Group>
      {isRemoving && (
        <Confirm
          title={
            <>
              Remove <Foreign text={label} />?
            </>
          }
          action="Remove"
          onClose={() => setRemoving(false)}
          onConfirm={async () => {
            await phone.removeIdentity(fingerprint);
            replaceRoute('identities');
          }}
        >
          <RemovalWords identity={identity} />
        </Confirm>
      )}
    </>
  );
}

const RemovalWords = ({ identity: { credential, place } }: { identity: PageIdentity }) => (
  <>
    <p>It can sign nothing any more, and that cannot be undone. What is left for you to do:</p>
    <ul>
      <li>
        Remove its line from <code>authorized_keys</code> on every server.
      </li>
      {credential !== null && (
        <li>
          {place === 'securityKey'
            ? 'Delete its passkey from the security key.'
            : 'Delete its passkey in the phone’s Passwords app, if it still stands there.'}
        </li>
      )}
    </ul>
  </>
);
