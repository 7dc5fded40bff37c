/** A name that is edited where it stands. */
import { useEffect, useId, useState } from 'preact/hooks';
import type { Act } from './snapshot.ts';

interface RenameRowProps {
  label: string;
  /** As it is now, in full. */
  name: string;
  act: Act;
  onRename(name: string): Promise<unknown>;
}

export function RenameRow({ label, name, act, onRename }: RenameRowProps) {
  const id = useId();
  const [typed, setTyped] = useState(name);
  useEffect(() => setTyped(name), [name]);
  const wanted = typed.trim();
  const isChanged = wanted !== '' && wanted !== name;
  return (
    <form
      class="row rename"
      onSubmit={(event) => {
        event.preventDefault();
        if (isChanged) act.run(() => onRename(wanted));
      }}
    >
      <label for={id}>{label}</label>
      <input
        id={id}
        value={typed}
        maxLength={64}
        autocomplete="off"
        dir="auto"
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      {isChanged && (
        <button type="submit" class="button small" disabled={act.isBusy}>
          Save
        </button>
      )}
    </form>
  );
}
