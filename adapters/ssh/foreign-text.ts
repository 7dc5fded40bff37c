const cap = 300;

/**
 * Text that a server or another program chose, cut to a length that fits one line of an event.
 * It still may hold anything: faces escape it.
 */
export function foreign(text: string): string {
  const trimmed = text.trim();
  return trimmed.length > cap ? `${trimmed.slice(0, cap)}…` : trimmed;
}
