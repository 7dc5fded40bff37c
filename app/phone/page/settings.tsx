/** What the person decides about this phone, and what they may know of it. */
import { useState } from 'preact/hooks';
import type { PageHost, PhoneState } from '../../../adapters/phone-page/state.ts';
import { Confirm } from './confirm.tsx';
import { Fingerprint, Host } from './foreign.tsx';
import { Heading } from './heading.tsx';
import { FactRow, Group } from './list.tsx';
import { PolicyGroups } from './policy.tsx';
import type { Abilities } from './port.ts';
import { PushGroup } from './push.tsx';
import { usePhone } from './snapshot.ts';
import { dateWords } from './words.ts';

export const SettingsScreen = ({
  state,
  abilities,
}: {
  state: PhoneState;
  abilities: Abilities;
}) => (
  <>
    <Heading title="Settings" />
    <PolicyGroups policy={state.policy} />
    <PushGroup push={state.push} canPush={abilities.push} isAppleTouch={abilities.isAppleTouch} />
    <Hosts hosts={state.hosts} />
    <Group title="About">
      <FactRow name="Signer">{state.name}</FactRow>
      <FactRow name="Address">
        <span class="breakable">{state.origin}</span>
      </FactRow>
      <FactRow name="Release">{state.release}</FactRow>
      <FactRow name="Storage">{storageWords(abilities)}</FactRow>
    </Group>
  </>
);

function storageWords({ isPersistent, isAppleTouch, isStandalone }: Abilities): string {
  if (isPersistent === true) return 'Kept until you delete it';
  if (isAppleTouch && !isStandalone) return 'Safari may delete it: use the app on the Home Screen';
  return isPersistent === null
    ? 'The browser does not say how long it keeps it'
    : 'The browser may delete it when space is short; signer has a sealed copy of the keys';
}

const placeOf = ({ name, port }: PageHost) => `${name} ${port}`;

function Hosts({ hosts }: { hosts: PageHost[] }) {
  const phone = usePhone();
  const [forgetting, setForgetting] = useState<PageHost | null>(null);
  return (
    <>
      <Group
        title="Known hosts"
        note="A host is remembered when you approve its first login with the switch on."
      >
        {hosts.length === 0 && <p class="row empty">None is remembered.</p>}
        {hosts.map((host) => (
          <div class="row" key={`${placeOf(host)} ${host.keyType}`}>
            <span class="row-text">
              <span class="row-title">
                <HostPlace host={host} />
              </span>
              <span class="row-detail">
                {host.keyType}, since {dateWords(host.since)}
              </span>
              <Fingerprint text={host.fingerprint} />
            </span>
            <button type="button" class="button small" onClick={() => setForgetting(host)}>
              Forget
              <span class="unseen">
                {' '}
                <HostPlace host={host} /> {host.keyType}
              </span>
            </button>
          </div>
        ))}
      </Group>
      {forgetting !== null && (
        <Confirm
          title={
            <>
              Forget <HostPlace host={forgetting} />?
            </>
          }
          action="Forget"
          onClose={() => setForgetting(null)}
          onConfirm={() => {
            const { name, port } = forgetting;
            return phone.ask({ do: 'host.remove', name, port });
          }}
        >
          <p>
            All keys under that name and port are forgotten. The next login there counts as one to a
            new host.
          </p>
        </Confirm>
      )}
    </>
  );
}

const HostPlace = ({ host: { name, port } }: { host: PageHost }) => (
  <>
    {name === '' ? 'Host without a name' : <Host name={name} />}
    {port !== 22 && port !== 0 && `:${port}`}
  </>
);
