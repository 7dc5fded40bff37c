/** An identity is made: its line, for the servers. */
import type { PageIdentity } from '../../../adapters/phone-page/state.ts';
import { Foreign } from './foreign.tsx';
import { Heading } from './heading.tsx';
import { Icon } from './icons.tsx';
import { PublicLine } from './public-line.tsx';
import { hrefOf } from './route.ts';
import { placeName, placeWords } from './words.ts';

export const CreatedScreen = ({
  identity,
  isLocal,
}: {
  identity: PageIdentity;
  isLocal: boolean;
}) => (
  <>
    <Heading title="Identity created" />
    <div class="status good">
      <span class="status-mark" aria-hidden="true">
        <Icon name="check" />
      </span>
      <p class="status-title">
        <Foreign text={identity.label} />
      </p>
      <p class="status-detail">
        {placeName[identity.place]}. {placeWords(identity)}
        {isLocal && ' It was made on localhost, and works only there.'}
      </p>
    </div>
    <PublicLine
      identity={identity}
      note={
        <>
          Add this line to <code>~/.ssh/authorized_keys</code> on each server.
        </>
      }
    />
    <a class="button primary wide" href={hrefOf('identities')}>
      Done
    </a>
  </>
);
