import { Buffer } from 'node:buffer';
import { readHostKey, type HostKey } from './host-key.ts';

/**
 * The key in a line `TYPE BASE64 [COMMENT]`, as .pub files and known_hosts (behind the name) have
 * it. `null` for anything else, a certificate included.
 */
export function readHostKeyLine(line: string): HostKey | null {
  const [keyType, base64 = ''] = line.trim().split(/[ \t]+/);
  const blob = Buffer.from(base64, 'base64');
  if (blob.toString('base64') !== base64) return null;
  const key = readHostKey(blob);
  return key !== null && key.certificate === null && key.keyType === keyType ? key : null;
}
