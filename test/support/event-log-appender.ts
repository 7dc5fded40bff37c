// Appends to one stream until it is told to stop, and prints each version once it is durable.
// Arguments: file, stream, number of events, bytes in each.
import { openEventLog } from '../../adapters/event-log/store.ts';
import { writeSync } from 'node:fs';

const [file = '', stream = '', count = '0', size = '0'] = process.argv.slice(2);
const log = openEventLog(file);
try {
  for (let n = 0; n < Number(count); n++) {
    const version = log.append(stream, n, [
      { type: 'test.happened', data: { n, filler: 'x'.repeat(Number(size)) } },
    ]);
    writeSync(1, `${version}\n`);
  }
} catch (error) {
  writeSync(1, `${(error as Error).name}\n`);
}
log.close();
