/** What opening a sealed key costs: the passphrase's scrypt, in a process of its own. */
import { spawnSync } from 'node:child_process';
import { openKey, sealKey } from '../../adapters/keys/sealed-key.ts';
import { generateP256Key } from '../../adapters/keys/p256.ts';
import { median, timed } from './measure.ts';

export interface ScryptCost {
  /** Median milliseconds. */
  took: number;
  /** Bytes at the peak, less what the process held before. */
  held: number;
}

/** Measured in a fresh process, whose peak is then scrypt's alone. */
export async function measureScrypt(rounds: number): Promise<ScryptCost> {
  const args = [import.meta.filename, String(rounds)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as ScryptCost;
}

if (import.meta.main) {
  const before = process.resourceUsage().maxRSS;
  const passphrase = Buffer.from('open sesame');
  const sealed = await sealKey(generateP256Key(), passphrase);
  const taken: number[] = [];
  for (let round = 0; round < Number(process.argv[2]); round += 1) {
    taken.push(await timed(() => openKey(sealed, passphrase)));
  }
  const held = (process.resourceUsage().maxRSS - before) * 1024;
  console.log(JSON.stringify({ took: median(taken), held } satisfies ScryptCost));
}
