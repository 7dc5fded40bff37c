// A program that records machines until it is killed, or ends in good order when stdin closes.
// Arguments: file, names of the streams. Prints the process's stream, then "ended".
import { writeSync } from 'node:fs';
import { fromCallback } from 'xstate';
import { startProcess } from '../../adapters/event-log/processes.ts';
import { createRecorderGroup } from '../../adapters/event-log/recorder-group.ts';
import { startRecorded } from '../../adapters/event-log/recorder.ts';
import { openEventLog } from '../../adapters/event-log/store.ts';
import { brewMachine } from './event-log-machine.ts';

const [file = '', ...streams] = process.argv.slice(2);
const log = openEventLog(file);
const running = startProcess(log, { program: 'test' });
const group = createRecorderGroup((error) => {
  throw error;
});
const machine = brewMachine.provide({ actors: { pump: fromCallback(() => {}) } });
const meta = { process: running.id };
const recorded = streams.map((stream) =>
  startRecorded(machine, { input: { cups: 1 }, log, stream, group, meta }),
);
writeSync(1, `${running.stream}\n`);

process.stdin.resume().on('end', () => {
  for (const { stop } of recorded) stop();
  running.end();
  log.close();
  writeSync(1, 'ended\n');
});
