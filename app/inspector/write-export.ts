import { randomUUID } from 'node:crypto';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { WrongUsage } from '../trouble.ts';
import type { DeviceSource } from './device-source.ts';
import { exportedPage } from './exported-page.ts';
import { Refusal } from './refusal.ts';

/**
 * Writes a flow (`null`: the newest that is no link) into a file that its owner alone can read, as
 * a whole or not at all.
 *
 * @throws {WrongUsage} when the file is there and `force` is not given, when it cannot be written,
 *   or there is no such flow
 */
export async function writeExport(
  source: DeviceSource,
  file: string,
  flow: string | null,
  force: boolean,
): Promise<void> {
  if (file === '') throw new WrongUsage('--export takes the name of a file');
  if (!force && existsSync(file)) throw new WrongUsage(`${file} is there already: --force`);
  const page = await pageOf(source, flow ?? (await newest(source)));
  const temporary = `${file}.${randomUUID()}.new`;
  try {
    writeFileSync(temporary, page, { flag: 'wx', mode: 0o600 });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new WrongUsage(`${file} cannot be written: ${(error as Error).message}`);
  }
}

async function pageOf(source: DeviceSource, id: string): Promise<string> {
  try {
    return await exportedPage(source, id);
  } catch (error) {
    if (error instanceof Refusal) throw new WrongUsage(error.message);
    throw error;
  }
}

async function newest(source: DeviceSource): Promise<string> {
  const flows = await source.flows();
  const flow = flows.find(({ id }) => !id.startsWith('link/'));
  if (flow === undefined) throw new WrongUsage('nothing was recorded yet');
  return flow.id;
}
