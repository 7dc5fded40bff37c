/** Which logins are approved at all. */
import { useId, useState } from 'preact/hooks';
import { TIME_LIMITS, type Policy } from '../../../machines/phone/policy.ts';
import { Host } from './foreign.tsx';
import { Group, Problem, SwitchRow } from './list.tsx';
import { useAct, usePhone, type Act } from './snapshot.ts';

const forwardingNames: Record<Policy['forwarding'], string> = {
  never: 'Never',
  ask: 'Ask each time',
  listed: 'Listed hosts only',
};

/** Seconds that are offered; the terminal takes any between the limits. */
const limits = [15, 30, 60, TIME_LIMITS.longest];

export function PolicyGroups({ policy }: { policy: Policy }) {
  const phone = usePhone();
  const act = useAct();
  const ids = { forwarding: useId(), limit: useId() };
  const set = (change: Partial<Policy>) =>
    act.run(() => phone.ask({ do: 'policy.set', policy: change }));
  const offered = [...new Set([...limits, policy.timeLimit])].toSorted((a, b) => a - b);
  return (
    <>
      <Problem text={act.problem} />
      <Group
        title="What may be approved"
        note="A proven destination is one that the signed bytes themselves name. Old servers and programs cannot do that."
      >
        <SwitchRow
          label="Require a proven destination"
          isOn={policy.requireProof}
          disabled={act.isBusy}
          onChange={(requireProof) => set({ requireProof })}
        />
        <div class="row">
          <label class="row-text" for={ids.limit}>
            Time to answer
          </label>
          <select
            id={ids.limit}
            value={String(policy.timeLimit)}
            disabled={act.isBusy}
            onChange={(event) => set({ timeLimit: Number(event.currentTarget.value) })}
          >
            {offered.map((seconds) => (
              <option key={seconds} value={String(seconds)}>
                {seconds} seconds
              </option>
            ))}
          </select>
        </div>
        <div class="row">
          <label class="row-text" for={ids.forwarding}>
            Agent forwarding
          </label>
          <select
            id={ids.forwarding}
            value={policy.forwarding}
            disabled={act.isBusy}
            onChange={(event) => {
              const wanted = event.currentTarget.value;
              const forwarding = (['never', 'ask', 'listed'] as const).find(
                (one) => one === wanted,
              );
              if (forwarding !== undefined) set({ forwarding });
            }}
          >
            {Object.entries(forwardingNames).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </div>
      </Group>
      {policy.forwarding === 'listed' && <ListedHosts policy={policy} act={act} set={set} />}
    </>
  );
}

interface ListedHostsProps {
  policy: Policy;
  act: Act;
  set(change: Partial<Policy>): void;
}

function ListedHosts({ policy: { listed }, act, set }: ListedHostsProps) {
  const id = useId();
  const [typed, setTyped] = useState('');
  const wanted = typed.trim();
  return (
    <Group
      title="Hosts that may forward"
      note="Names of known hosts: a request may come through these, and no others."
    >
      {listed.map((name) => (
        <div class="row" key={name}>
          <span class="row-text">
            <Host name={name} />
          </span>
          <button
            type="button"
            class="button small"
            disabled={act.isBusy}
            onClick={() => set({ listed: listed.filter((one) => one !== name) })}
          >
            Remove
            <span class="unseen">
              {' '}
              <Host name={name} />
            </span>
          </button>
        </div>
      ))}
      <form
        class="row rename"
        onSubmit={(event) => {
          event.preventDefault();
          if (wanted === '' || listed.includes(wanted)) return;
          set({ listed: [...listed, wanted] });
          setTyped('');
        }}
      >
        <label for={id}>Add</label>
        <input
          id={id}
          value={typed}
          placeholder="name of a host"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          maxLength={255}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <button type="submit" class="button small" disabled={wanted === '' || act.isBusy}>
          Add
        </button>
      </form>
    </Group>
  );
}
