/** How things stand: the link to `signer`, the headsets, and what happened last. */
import type { ComponentChildren } from 'preact';
import type { PhoneState } from '../../../adapters/phone-page/state.ts';
import { ActivityLine } from './activity.tsx';
import { Foreign } from './foreign.tsx';
import { Heading } from './heading.tsx';
import { Icon } from './icons.tsx';
import { Group, LinkRow } from './list.tsx';
import type { PageSnapshot } from './port.ts';
import { hrefOf } from './route.ts';

export function HomeScreen({ snapshot }: { snapshot: PageSnapshot }) {
  const { state } = snapshot;
  return (
    <>
      <Heading title="Remote Signer" />
      <Status snapshot={snapshot} />
      {state !== null && <Overview state={state} />}
    </>
  );
}

function Status({ snapshot }: { snapshot: PageSnapshot }) {
  const { tone, title, detail } = standing(snapshot);
  return (
    <div class={`status ${tone}`} role="status">
      <span class="status-mark" aria-hidden="true">
        <Icon name={tone === 'good' ? 'check' : tone === 'care' ? 'warning' : 'clock'} />
      </span>
      <p class="status-title">{title}</p>
      <p class="status-detail">{detail}</p>
    </div>
  );
}

interface Standing {
  tone: 'good' | 'care' | 'plain';
  title: string;
  detail: ComponentChildren;
}

function standing({ link, state }: PageSnapshot): Standing {
  if (link === 'lost') {
    return {
      tone: 'care',
      title: 'Connection lost',
      detail:
        'This page cannot reach signer, and tries again by itself. Is the computer awake, and on the same network as this phone?',
    };
  }
  if (link === 'outdated') {
    return {
      tone: 'care',
      title: 'Not the same release',
      detail:
        'signer was updated, and this page was not. Close it and open it again; if that does not help, start signer again.',
    };
  }
  if (link !== 'up' || state === null) {
    return { tone: 'plain', title: 'Connecting…', detail: 'Looking for signer.' };
  }
  if (!state.isPublished) {
    return {
      tone: 'care',
      title: 'Not published',
      detail:
        'Headsets cannot find this signer on the network. See what its terminal says; Wi-Fi off and on may help.',
    };
  }
  if (!state.identities.some(({ enabled }) => enabled)) {
    return {
      tone: 'plain',
      title: 'No identity yet',
      detail: 'Create one, or enable one, to have something to log in with.',
    };
  }
  if (state.devices.length === 0) {
    return {
      tone: 'plain',
      title: 'No headset yet',
      detail: (
        <>
          Run <code>signer pair</code> where signer runs, and <code>vmux pair</code> on the headset.
        </>
      ),
    };
  }
  const linked = state.devices.filter(({ isLinked }) => isLinked);
  const [first] = linked;
  if (first === undefined) {
    return {
      tone: 'plain',
      title: 'Ready',
      detail: 'No headset is linked at the moment. It comes by itself when you connect there.',
    };
  }
  return {
    tone: 'good',
    title: 'Ready to sign',
    detail: (
      <>
        <Foreign text={first.name} max={40} />
        {linked.length > 1 ? ` and ${linked.length - 1} more are` : ' is'} linked. Requests appear
        here by themselves.
      </>
    ),
  };
}

function Overview({ state }: { state: PhoneState }) {
  const { identities, devices, activity } = state;
  const enabled = identities.filter((one) => one.enabled).length;
  const linked = devices.filter(({ isLinked }) => isLinked).length;
  return (
    <>
      <Group>
        <LinkRow
          href={hrefOf('identities', identities.length === 0 ? 'new' : null)}
          icon={<Icon name="identities" class="tile" />}
          title={identities.length === 0 ? 'Create an identity' : 'Identities'}
          value={identities.length === 0 ? undefined : `${enabled} of ${identities.length} enabled`}
        />
        <LinkRow
          href={hrefOf('devices')}
          icon={<Icon name="devices" class="tile" />}
          title="Headsets"
          value={devices.length === 0 ? 'None' : `${linked} of ${devices.length} linked`}
        />
      </Group>
      <Group title="Latest activity">
        {activity.length === 0 ? (
          <p class="row empty">Nothing was asked yet.</p>
        ) : (
          <ul>
            {activity.slice(0, 3).map((row) => (
              <ActivityLine key={row.ref} row={row} now={state.now} isDated />
            ))}
          </ul>
        )}
      </Group>
    </>
  );
}
