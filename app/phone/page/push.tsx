/** Notifications while the page is closed: off until the person turns them on. */
import { useState } from 'preact/hooks';
import type { PhoneState } from '../../../adapters/phone-page/state.ts';
import { ActionRow, Group, Problem, Said, SwitchRow } from './list.tsx';
import { useAct, usePhone } from './snapshot.ts';

interface PushGroupProps {
  push: PhoneState['push'];
  canPush: boolean;
  isAppleTouch: boolean;
}

const SENT = 'Sent: it comes in a moment';

const whatItIs =
  'Wakes this phone when a request comes while the page is closed. The message goes through the servers of Apple or Google (of whoever makes your browser): they learn when something is waiting, and nothing of what.';

export function PushGroup({ push, canPush, isAppleTouch }: PushGroupProps) {
  const phone = usePhone();
  const act = useAct();
  const [isSent, setSent] = useState(false);
  const isOffered = canPush && push.publicKey !== null;
  const turn = async (isOn: boolean) => {
    setSent(false);
    if (!isOn) return phone.turnPushOff();
    const outcome = await phone.turnPushOn();
    if (outcome !== 'on') throw new Error(problems[outcome]);
  };
  return (
    <>
      <Group
        title="Notifications"
        note={isOffered ? whatItIs : unofferedWords(canPush, isAppleTouch)}
      >
        <SwitchRow
          label="Notify me of requests"
          isOn={push.isOn}
          disabled={act.isBusy || (!isOffered && !push.isOn)}
          onChange={(isOn) => act.run(() => turn(isOn))}
        />
        {push.isOn && (
          <ActionRow
            label={isSent ? SENT : 'Send a test'}
            disabled={act.isBusy}
            onTap={() =>
              act.run(
                () => phone.ask({ do: 'push.test' }),
                () => setSent(true),
              )
            }
          />
        )}
      </Group>
      <Said text={isSent ? SENT : null} />
      <Problem text={act.problem} />
    </>
  );
}

function unofferedWords(canPush: boolean, isAppleTouch: boolean): string {
  if (canPush) return 'This signer was not set up to send notifications.';
  return isAppleTouch
    ? 'On an iPhone or iPad only the app on the Home Screen can be notified.'
    : 'This browser cannot be notified.';
}

const problems = {
  denied:
    'Notifications are not allowed for this page. Allow them in the settings of the phone, then try again.',
  unavailable: 'The browser could not be signed up for notifications. Try again later.',
} as const;
