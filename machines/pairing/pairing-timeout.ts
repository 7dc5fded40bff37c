/** Milliseconds that a pairing screen stays open, on either side. */
export const PAIRING_TIMEOUT_MS = 120_000;
