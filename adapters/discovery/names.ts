import { randomBytes } from 'node:crypto';

/** RFC 1035 §2.3.4. */
const maxLabelBytes = 63;
const maxNameBytes = 253;

const domain = 'local';

/** A name for one start of a program, instance or host: 64 random bits and nothing of the person. */
export function randomInstance(): string {
  return randomBytes(8).toString('hex');
}

/** Names compare without case in ASCII only (RFC 6762 §16). */
export function foldName(name: string): string {
  return name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** The full name of a service type, host or instance below `local.` (RFC 6762 §3). */
export function localName(...labels: string[]): string {
  return [...labels, domain].join('.');
}

/**
 * The instance label of a full service name, or `null` when the name is not an instance of this
 * type or its label is no valid UTF-8 of at most 63 bytes (RFC 6763 §4.1.1). Anything else is kept
 * as it came, control characters included: escaping is for who shows it.
 */
export function instanceIn(name: string, serviceType: string): string | null {
  const suffix = `.${localName(serviceType)}`;
  if (!foldName(name).endsWith(foldName(suffix))) return null;
  const instance = name.slice(0, -suffix.length);
  const valid =
    instance !== '' && Buffer.byteLength(instance) <= maxLabelBytes && !instance.includes('\uFFFD');
  return valid ? instance : null;
}

/**
 * Whether the codec writes this name as it was read. It writes labels over 63 bytes corrupt, splits
 * them at dots and loses dots at line ends, so such names may be heard but are never sent.
 */
export function isSendable(name: string): boolean {
  return (
    Buffer.byteLength(name) <= maxNameBytes &&
    !/[\n\r\u2028\u2029\uFFFD]/.test(name) &&
    name.split('.').every((label) => label !== '' && Buffer.byteLength(label) <= maxLabelBytes)
  );
}

/** Whether this is an instance or host label that can be published. */
export function isPublishableLabel(label: string): boolean {
  return !label.includes('.') && isSendable(label);
}

/** Whether this is a service type such as `_vmux-signer._tcp` (RFC 6763 §7, RFC 6335 §5.1). */
export function isServiceType(serviceType: string): boolean {
  return /^_(?=[a-z0-9-]{1,15}\.)[a-z0-9]+(-[a-z0-9]+)*\._(tcp|udp)$/i.test(serviceType);
}

/** The name to try after the `attempt`th conflict (RFC 6763 appendix D), still one label. */
export function renamed(label: string, attempt: number): string {
  const suffix = `-${attempt + 1}`;
  let kept = label;
  while (Buffer.byteLength(kept + suffix) > maxLabelBytes) kept = [...kept].slice(0, -1).join('');
  return kept + suffix;
}
