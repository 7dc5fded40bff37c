/** A question before something that cannot be undone. */
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { Problem } from './list.tsx';
import { useAct } from './snapshot.ts';

interface ConfirmProps {
  title: ComponentChildren;
  /** What is done, on its button. */
  action: string;
  children: ComponentChildren;
  /** The dialog stays, and says why, when it fails. */
  onConfirm(): Promise<unknown>;
  onClose(): void;
}

export function Confirm({ title, action, children, onConfirm, onClose }: ConfirmProps) {
  const ids = { title: useId(), text: useId() };
  const dialog = useRef<HTMLDialogElement>(null);
  const act = useAct();
  useLayoutEffect(() => {
    const open = dialog.current;
    open?.showModal();
    return () => open?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="confirm"
      role="alertdialog"
      aria-labelledby={ids.title}
      aria-describedby={ids.text}
      onClose={() => onClose()}
    >
      <h2 id={ids.title}>{title}</h2>
      <div id={ids.text} class="confirm-text">
        {children}
      </div>
      <Problem text={act.problem} />
      <div class="answers">
        <button type="button" class="button deny" autofocus onClick={() => onClose()}>
          Cancel
        </button>
        <button
          type="button"
          class="button danger"
          disabled={act.isBusy}
          onClick={() => act.run(onConfirm, onClose)}
        >
          {action}
        </button>
      </div>
    </dialog>
  );
}
