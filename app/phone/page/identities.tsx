/** The identities: all of them, or one, or a new one. */
import type { KeyPlace, PhoneState } from '../../../adapters/phone-page/state.ts';
import { CreateScreen } from './create-identity.tsx';
import { CreatedScreen } from './created.tsx';
import { Foreign } from './foreign.tsx';
import { Heading } from './heading.tsx';
import { Icon, type IconName } from './icons.tsx';
import { IdentityScreen } from './identity.tsx';
import { Group, LinkRow } from './list.tsx';
import type { Abilities } from './port.ts';
import { hrefOf } from './route.ts';
import { placeName } from './words.ts';

const placeIcon: Record<KeyPlace, IconName> = {
  syncedPasskey: 'passkey',
  boundPasskey: 'passkey',
  securityKey: 'identities',
  sealedInBrowser: 'sealed',
  sealedAtSigner: 'sealed',
};

interface IdentitiesTabProps {
  which: string | null;
  state: PhoneState;
  abilities: Abilities;
}

const CREATED = 'created:';

/** Of the screen that shows a new identity's line. */
export const createdRoute = (fingerprint: string) => CREATED + fingerprint;

export function IdentitiesTab({ which, state, abilities }: IdentitiesTabProps) {
  if (which === null) return <IdentityList state={state} />;
  if (which === 'new') return <CreateScreen state={state} abilities={abilities} />;
  const isNew = which.startsWith(CREATED);
  const fingerprint = isNew ? which.slice(CREATED.length) : which;
  const identity = state.identities.find((one) => one.fingerprint === fingerprint);
  if (identity === undefined) return <IdentityList state={state} />;
  return isNew ? (
    <CreatedScreen identity={identity} isLocal={state.isLocal} />
  ) : (
    <IdentityScreen key={fingerprint} identity={identity} />
  );
}

const IdentityList = ({ state }: { state: PhoneState }) => (
  <>
    <Heading title="Identities">
      <a class="button round" href={hrefOf('identities', 'new')} aria-label="Create an identity">
        <Icon name="plus" />
      </a>
    </Heading>
    {state.identities.length === 0 ? (
      <div class="nothing">
        <p>An identity is a key that servers know you by. There is none yet.</p>
        <a class="button primary" href={hrefOf('identities', 'new')}>
          Create an identity
        </a>
      </div>
    ) : (
      <Group note="Headsets are offered the enabled ones.">
        {state.identities.map((identity) => (
          <LinkRow
            key={identity.fingerprint}
            href={hrefOf('identities', identity.fingerprint)}
            icon={
              <Icon
                name={placeIcon[identity.place]}
                class={`tile ${identity.enabled ? '' : 'off'}`}
              />
            }
            title={<Foreign text={identity.label} />}
            detail={placeName[identity.place]}
            value={identity.enabled ? undefined : 'Off'}
          />
        ))}
      </Group>
    )}
  </>
);
