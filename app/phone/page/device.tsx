/** One headset: its name, its peace, its end. */
import { useState } from 'preact/hooks';
import type { PageDevice } from '../../../adapters/phone-page/state.ts';
import { Confirm } from './confirm.tsx';
import { isMuted } from './devices.tsx';
import { Foreign } from './foreign.tsx';
import { Heading } from './heading.tsx';
import { ActionRow, FactRow, Group, Problem } from './list.tsx';
import { RenameRow } from './rename-row.tsx';
import { hrefOf, replaceRoute } from './route.ts';
import { useAct, usePhone } from './snapshot.ts';
import { dateWords, dayWords, minutesUntilTomorrow, timeWords } from './words.ts';

/** `now`: the signer's, milliseconds since 1970. */
export function DeviceScreen({ device, now }: { device: PageDevice; now: number }) {
  const phone = usePhone();
  const act = useAct();
  const [isRemoving, setRemoving] = useState(false);
  const { id, name, mutedUntil } = device;
  const mute = (minutes: number) => act.run(() => phone.ask({ do: 'device.mute', id, minutes }));
  return (
    <>
      <Heading
        title={<Foreign text={name} max={40} />}
        back={{ href: hrefOf('devices'), name: 'Devices' }}
      />
      <Problem text={act.problem} />
      <Group>
        <RenameRow
          label="Name"
          name={name}
          act={act}
          onRename={(wanted) => phone.ask({ do: 'device.rename', id, name: wanted })}
        />
        <FactRow name="Link">{device.isLinked ? 'Linked now' : 'Not linked'}</FactRow>
        <FactRow name="Paired">{dateWords(device.pairedAt)}</FactRow>
      </Group>
      {isMuted(mutedUntil, now) && mutedUntil !== null ? (
        <Group
          title="Muted"
          note={`Its requests are refused without a sheet until ${untilWords(mutedUntil, now)}.`}
        >
          <ActionRow label="Unmute" disabled={act.isBusy} onTap={() => mute(0)} />
        </Group>
      ) : (
        <Group title="Mute" note="While muted, its requests are refused without a sheet.">
          <ActionRow label="For 10 minutes" disabled={act.isBusy} onTap={() => mute(10)} />
          <ActionRow label="For 1 hour" disabled={act.isBusy} onTap={() => mute(60)} />
          <ActionRow
            label="Until tomorrow"
            disabled={act.isBusy}
            onTap={() => mute(minutesUntilTomorrow(Date.now()))}
          />
        </Group>
      )}
      <Group>
        <ActionRow label="Remove headset…" tone="danger" onTap={() => setRemoving(true)} />
      </Group>
      {isRemoving && (
        <Confirm
          title={
            <>
              Remove <Foreign text={name} max={40} />?
            </>
          }
          action="Remove"
          onClose={() => setRemoving(false)}
          onConfirm={async () => {
            await phone.ask({ do: 'device.remove', id });
            replaceRoute('devices');
          }}
        >
          <p>It can ask for nothing any more until it is paired again.</p>
        </Confirm>
      )}
    </>
  );
}

const untilWords = (at: number, now: number) =>
  dayWords(at, now) === 'Today' ? timeWords(at) : `${dateWords(at)}, ${timeWords(at)}`;
