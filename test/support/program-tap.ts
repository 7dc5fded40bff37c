/**
 * Loaded into a program before its own code (`--import`): appends all that it hashes with SHA-256,
 * as base64, a line each, to the file named by `TAP_FILE`. So a test learns the challenges and
 * signatures whose hashes the program has recorded.
 */
import crypto from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const file = process.env['TAP_FILE'] ?? '';
const { createHash, hash } = crypto;

function note(data: unknown): void {
  if (!(data instanceof Uint8Array)) return;
  appendFileSync(file, `${Buffer.from(data).toString('base64')}\n`, { mode: 0o600 });
}

crypto.createHash = (algorithm, options) => {
  const made = createHash(algorithm, options);
  const update = made.update.bind(made) as (...args: unknown[]) => typeof made;
  made.update = ((...args: unknown[]) => {
    if (algorithm === 'sha256') note(args[0]);
    return update(...args);
  }) as typeof made.update;
  return made;
};
crypto.hash = ((algorithm: string, data: Uint8Array, encoding: 'hex') => {
  if (algorithm === 'sha256') note(data);
  return hash(algorithm, data, encoding);
}) as typeof crypto.hash;
syncBuiltinESMExports();
