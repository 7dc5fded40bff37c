/** The line for authorized_keys: read, copied, shared, and as a QR code. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { PageIdentity } from '../../../adapters/phone-page/state.ts';
import { ActionRow, Group, Problem, Said } from './list.tsx';
import { QrCode } from './qr-code.tsx';
import { useAct } from './snapshot.ts';

interface PublicLineProps {
  identity: PageIdentity;
  note?: ComponentChildren;
}

export function PublicLine({ identity: { line, label }, note }: PublicLineProps) {
  const act = useAct();
  const [isCopied, setCopied] = useState(false);
  const [isCode, setCode] = useState(false);
  const copy = async () => {
    setCopied(false);
    await navigator.clipboard.writeText(line).catch(() => {
      throw new Error('The browser did not let it be copied. Select the line and copy it.');
    });
  };
  const share = () =>
    navigator.share({ title: label, text: line }).catch((error: unknown) => {
      const isCancelled = error instanceof Error && error.name === 'AbortError';
      if (!isCancelled) throw new Error('The browser could not share it. Copy the line instead.');
    });
  return (
    <>
      <Group title="Public key" note={note}>
        <p class="row line-place">
          <code class="line" tabIndex={0} role="textbox" aria-readonly="true" aria-label="Line">
            {line}
          </code>
        </p>
        <ActionRow
          icon="copy"
          label={isCopied ? 'Copied' : 'Copy'}
          onTap={() => act.run(copy, () => setCopied(true))}
        />
        {'share' in navigator && (
          <ActionRow icon="share" label="Share…" onTap={() => act.run(share)} />
        )}
        <ActionRow
          icon="code"
          label={isCode ? 'Hide QR code' : 'Show QR code'}
          onTap={() => setCode(!isCode)}
        />
        {isCode && <QrCode text={line} />}
      </Group>
      <Said text={isCopied ? 'Copied' : null} />
      <Problem text={act.problem} />
    </>
  );
}
