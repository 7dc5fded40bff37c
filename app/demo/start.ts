/** `npm start`: the whole thing on one machine, or against a real server. */
import { asTrouble, expectArguments, failureLines, parse } from '../command-line.ts';
import { WrongUsage } from '../trouble.ts';
import { DemoFailed } from './demo-failed.ts';
import { runToItsEnd } from './ending.ts';

const HELP = `usage: npm start [-- [--inspect] [user@host[:port]]]

npm start
  Headset, phone, SSH server and a scripted person, all in this process: pairing, discovery, the
  nine steps of a login, a command on the server, a denial and a time-out. Takes about ten seconds
  and no set-up; nothing is kept and nothing outside this machine is contacted. On a terminal you
  get a shell in the end, which runs on this machine as you.

npm start -- user@host[:port]
  Headset and phone in this terminal, and a server of yours. A key is made on the first run, sealed
  under a passphrase that you choose; its authorized_keys line is printed first, and you append it
  on the server. You read the sheet and type the passphrase; then the shell is the server's. Needs
  a terminal. Key, pairing and log are kept in $VMUX_DEMO_HOME (~/.vmux-demo), so that the line
  stays the same; remove that directory to forget them.

--inspect
  Both devices' charts and every event in your browser, while it happens (docs/inspect.md). The
  page stays until Ctrl-C.

exit status: 0; 1 when something failed; 2 for wrong usage; the remote shell's with a server.`;

async function main(argv: string[]): Promise<number> {
  try {
    const { values, positionals } = parse(argv, {
      help: { type: 'boolean', short: 'h' },
      inspect: { type: 'boolean', default: false },
    });
    expectArguments(positionals, 0, 1);
    const [where] = positionals;
    if (values.help) {
      process.stdout.write(`${HELP}\n`);
      return 0;
    }
    if (where === undefined) {
      const { runOnOneMachine } = await import('./one-machine.ts');
      return await runToItsEnd((ending) => runOnOneMachine(ending, values.inspect));
    }
    const { connectToServer } = await import('./real-server.ts');
    return await runToItsEnd((ending) => connectToServer(where, ending, values.inspect));
  } catch (error) {
    return report(error);
  }
}

function report(error: unknown): number {
  const { stderr } = process;
  if (error instanceof WrongUsage) {
    stderr.write(`demo: ${error.message}\nhint: npm start -- --help\n`);
    return 2;
  }
  if (error instanceof DemoFailed) {
    stderr.write(`demo: it did not work: ${error.message}\n`);
    return 1;
  }
  const trouble = asTrouble(error);
  if (trouble === null) throw error;
  stderr.write(`demo: ${failureLines(trouble.reason, trouble.detail).join('\n')}\n`);
  return 1;
}

process.exitCode = await main(process.argv.slice(2));
