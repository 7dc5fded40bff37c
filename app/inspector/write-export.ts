import { rmSync } from 'node:fs';
import { createPrivateFile } from '../home.ts';
import { WrongUsage } from '../trouble.ts';
import type { DeviceSource } from './device-source.ts';
import { exportedPage } from './exported-page.ts';
import { Refusal } from './refusal.ts';

/**
 * Writes a flow (`null`: the newest that is no link) into a file that its owner alone can read.
 *
 * @throws {WrongUsage} when the file is there and `force` is not given, or there is no such flow
 */
export async function writeExport(
  source: DeviceSource,
  file: string,
  flow: string | null,
  force: boolean,
): Promise<void> {
  const id = flow ?? (await newest(source));
  let page: string;
  try {
    page = await exportedPage(source, id);
  } catch (error) {
    if (error instanceof Refusal) throw new WrongUsage(error.message);
    throw error;
  }
  if (force) rmSync(file, { force: true });
  if (!createPrivateFile(file, page)) throw new WrongUsage(`${file} is there already: --force`);
}

async function newest(source: DeviceSource): Promise<string> {
  const flows = await source.flows();
  const flow = flows.find(({ id }) => !id.startsWith('link/'));
  if (flow === undefined) throw new WrongUsage('nothing was recorded yet');
  return flow.id;
}
