/** Who may ask, and who may answer: headsets and browsers. */
import { useState } from 'preact/hooks';
import type { PageBrowser, PhoneState } from '../../../adapters/phone-page/state.ts';
import { Confirm } from './confirm.tsx';
import { DeviceScreen } from './device.tsx';
import { Foreign } from './foreign.tsx';
import { Heading } from './heading.tsx';
import { Icon } from './icons.tsx';
import { Group, LinkRow } from './list.tsx';
import { hrefOf } from './route.ts';
import { usePhone } from './snapshot.ts';
import { dateWords } from './words.ts';

export function DevicesTab({ which, state }: { which: string | null; state: PhoneState }) {
  const device = state.devices.find(({ id }) => id === which);
  if (device !== undefined) return <DeviceScreen key={which} device={device} now={state.now} />;
  return (
    <>
      <Heading title="Devices" />
      <Group
        title="Headsets"
        note={
          <>
            To pair one, run <code>signer pair</code> where signer runs.
          </>
        }
      >
        {state.devices.length === 0 && <p class="row empty">None is paired.</p>}
        {state.devices.map(({ id, name, isLinked, mutedUntil, pairedAt }) => (
          <LinkRow
            key={id}
            href={hrefOf('devices', id)}
            icon={
              <Icon
                name={isMuted(mutedUntil, state.now) ? 'mute' : 'devices'}
                class={`tile ${isLinked ? '' : 'off'}`}
              />
            }
            title={<Foreign text={name} max={40} />}
            detail={`Paired ${dateWords(pairedAt)}`}
            value={isMuted(mutedUntil, state.now) ? 'Muted' : isLinked ? 'Linked' : undefined}
          />
        ))}
      </Group>
      <Browsers browsers={state.browsers} />
    </>
  );
}

export const isMuted = (mutedUntil: number | null, now: number) =>
  mutedUntil !== null && mutedUntil > now;

function Browsers({ browsers }: { browsers: PageBrowser[] }) {
  const phone = usePhone();
  const [removing, setRemoving] = useState<PageBrowser | null>(null);
  const isThis = removing?.isThis ?? false;
  return (
    <>
      <Group title="Phones and browsers" note="Each of them can see requests and answer them.">
        {browsers.map((browser) => (
          <div class="row" key={browser.id}>
            <Icon name="browser" class="tile" />
            <span class="row-text">
              <span class="row-title">
                <Foreign text={browser.name} max={40} />
              </span>
              <span class="row-detail">
                {browser.isThis ? 'This one, paired ' : 'Paired '}
                {dateWords(browser.pairedAt)}
              </span>
            </span>
            <button type="button" class="button small" onClick={() => setRemoving(browser)}>
              Unpair
              <span class="unseen">
                {' '}
                <Foreign text={browser.name} max={40} />
              </span>
            </button>
          </div>
        ))}
      </Group>
      {removing !== null && (
        <Confirm
          title={
            <>
              Unpair <Foreign text={removing.name} max={40} />?
            </>
          }
          action="Unpair"
          onClose={() => setRemoving(null)}
          onConfirm={async () => {
            await phone.ask({ do: 'browser.remove', id: removing.id });
            if (isThis) await phone.forget();
          }}
        >
          <p>
            {isThis
              ? 'This browser can approve nothing from then on. Keys that are sealed in it come back when it is paired again.'
              : 'It is cut off at once, and can approve nothing from then on.'}
          </p>
        </Confirm>
      )}
    </>
  );
}
