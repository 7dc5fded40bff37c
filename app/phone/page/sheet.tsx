/** The sheet: one sign request, what it is for, and the person's answer. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { canApprove, isAlarming, obstacleOf, whatOf } from './answering.ts';
import { useTapGuard } from './on-screen.ts';
import type { Abilities, ShownSheet } from './port.ts';
import { SheetBody } from './sheet-body.tsx';
import { CodeEntry, SheetState } from './sheet-state.tsx';
import { Ring } from './ring.tsx';
import { usePhone } from './snapshot.ts';
import { Icon } from './icons.tsx';

interface SheetProps {
  shown: ShownSheet | null;
  abilities: Abilities;
}

/** Always there, so that it knows of every press since before a sheet came. */
export function SheetPlace({ shown, abilities }: SheetProps) {
  const phone = usePhone();
  const what = shown === null ? null : whatOf(shown);
  const guard = useTapGuard(what, () => {
    if (shown !== null) phone.sheetShown(shown.sheet.ref);
  });
  if (shown === null) return null;
  const isMeant = (event: Event) =>
    guard.isMeant(whatOf(shown)) && event.isTrusted && document.visibilityState === 'visible';
  return <OpenSheet key={what} shown={shown} abilities={abilities} isMeant={isMeant} />;
}

interface OpenSheetProps {
  shown: ShownSheet;
  abilities: Abilities;
  isMeant(event: Event): boolean;
}

function OpenSheet({ shown, abilities, isMeant }: OpenSheetProps) {
  const phone = usePhone();
  const { sheet } = shown;
  const { ref, mode } = sheet;
  const dialog = useRef<HTMLDialogElement>(null);
  const denyButton = useRef<HTMLButtonElement>(null);
  const [isTooSoon, setTooSoon] = useState(false);

  useLayoutEffect(() => {
    const open = dialog.current;
    if (open === null) return undefined;
    open.showModal();
    denyButton.current?.focus({ preventScroll: true });
    // Only the phone closes it: whatever else does is undone.
    const undo = () => {
      if (open.isConnected && !open.open) open.showModal();
    };
    open.addEventListener('close', undo);
    return () => {
      open.removeEventListener('close', undo);
      open.close();
    };
  }, []);

  const obstacle = obstacleOf(shown, abilities.webAuthn);
  const counts = (event: Event) => {
    const isCounted = isMeant(event);
    setTooSoon(!isCounted);
    return isCounted;
  };
  const deny = (event: Event) => {
    if (counts(event)) phone.deny(ref);
  };
  const approve = (event: Event) => {
    const isCounted = counts(event);
    if (isCounted && canApprove(shown, abilities.webAuthn, performance.now())) phone.approve(ref);
  };
  const alarm = obstacle !== null && isAlarming(obstacle);
  return (
    <dialog
      ref={dialog}
      class={`sheet ${alarm ? 'alarm' : ''}`}
      aria-labelledby="sheet-title"
      aria-describedby="sheet-route"
      onCancel={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.preventDefault();
        if (!event.repeat) deny(event);
      }}
    >
      <header class="sheet-head">
        <h1 id="sheet-title">
          SSH Sign Request
          {sheet.equal > 1 && <span class="equal"> ×{sheet.equal}</span>}
        </h1>
        <Ring until={shown.until} total={sheet.total} />
      </header>
      <div class="sheet-scroll">
        <SheetBody
          shown={shown}
          isDoubtful={obstacle?.why === 'mismatch' || obstacle?.why === 'unreadable'}
          onPin={(pin) => phone.setPinning(ref, pin)}
        />
        <SheetState shown={shown} obstacle={obstacle} abilities={abilities} />
      </div>
      <footer class="sheet-foot">
        {mode === 'matching' && !alarm && (
          <CodeEntry sheet={sheet} onCode={(code) => phone.enterCode(ref, code)} />
        )}
        <p class="too-soon" role="status">
          {isTooSoon &&
            'That tap did not count: the sheet had only just come up. Look at it first.'}
        </p>
        <div class="answers">
          <button ref={denyButton} type="button" class="button deny" onClick={deny}>
            Deny{sheet.equal > 1 && ` all ${sheet.equal}`}
          </button>
          {obstacle === null && (
            <button
              type="button"
              class="button approve"
              aria-disabled={mode === 'deciding' ? undefined : 'true'}
              onClick={approve}
            >
              <Icon name={abilities.isAppleTouch ? 'face' : 'check'} />
              {abilities.isAppleTouch ? 'Approve with Face ID' : 'Approve'}
            </button>
          )}
        </div>
        {sheet.waiting > 0 && <p class="waiting">{sheet.waiting} more waiting</p>}
      </footer>
    </dialog>
  );
}
