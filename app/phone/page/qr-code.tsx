/** A QR code, drawn from its modules; what computes them is loaded when one is looked at. */
import { useEffect, useState } from 'preact/hooks';

type Code = { size: number; path: string } | 'tooLong' | null;

export function QrCode({ text }: { text: string }) {
  const [code, setCode] = useState<Code>(null);
  useEffect(() => {
    let isGone = false;
    const show = (next: Code) => {
      if (!isGone) setCode(next);
    };
    codeOf(text).then(show, () => show('tooLong'));
    return () => {
      isGone = true;
    };
  }, [text]);
  if (code === 'tooLong') return <p class="row">No QR code can be made of it here. Copy it.</p>;
  if (code === null) return <p class="row">…</p>;
  return (
    <div class="qr">
      <svg
        viewBox={`0 0 ${code.size} ${code.size}`}
        role="img"
        aria-label="QR code of the public key"
        shape-rendering="crispEdges"
      >
        <path d={code.path} />
      </svg>
    </div>
  );
}

/** @throws when the text is too long for any. */
async function codeOf(text: string): Promise<Code> {
  const { encode } = await import('uqr');
  const { data, size } = encode(text, { ecc: 'L', border: 4 });
  const path = data
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')))
    .join('');
  return { size, path };
}
