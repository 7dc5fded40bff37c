/**
 * `npm start`: headset, phone, server and person in this process, over the real link, pairing and
 * discovery. Everything told is read from what the machines recorded.
 */
import { userInfo } from 'node:os';
import type { FailureReason } from '../../machines/failures.ts';
import type { ConnectionSnapshot } from '../headset/overlay.ts';
import { sheetLines } from '../phone/sheet-words.ts';
import { showForeign } from '../terminal/foreign-text.ts';
import { DemoFailed } from './demo-failed.ts';
import type { Ending } from './ending.ts';
import { createNarrator, type Narrator } from './narrator.ts';
import { tellNineSteps } from './nine-steps.ts';
import { hasPseudoTerminal } from './pseudo-terminal.ts';
import { openScene } from './scene.ts';
import { commandSession, shellSession } from './sessions.ts';
import { setStage, type Stage } from './stage.ts';

const COMMAND = 'id -un';
/** The page's ten seconds, shortened so that nobody has to wait for them. Milliseconds. */
const SHORT_CLOCK = 3_000;
/** A busy machine may miss the first answer of the network; the person taps Reconnect. */
const RECONNECTS = 2;

/**
 * Resolves with the exit status; with `inspect` it stays until it is interrupted.
 *
 * @throws {DemoFailed} when anything is not as it should be; the adapters' and the log's errors
 */
export async function runOnOneMachine(ending: Ending, inspect: boolean): Promise<number> {
  const narrator = createNarrator(process.stdout);
  const stage = await setStage(narrator, ending, inspect);
  await logInAndRun(stage);
  await beDenied(stage);
  await runOutOfTime(stage);

  narrator.heading('The record');
  const { runs, events, differing } = stage.witness.replay();
  if (differing.length > 0) throw new DemoFailed(`does not fold to its live state: ${differing}`);
  narrator.from(
    'demo',
    `${events} events of ${runs} machine runs are on record; folded again, each run leads to its live state`,
  );
  if (process.stdin.isTTY && process.stdout.isTTY) await giveShell(stage);
  ending.defer(() => narrator.heading('Done: nothing of this is kept.'));
  if (inspect) {
    const { stayForThePage } = await import('./inspected-demo.ts');
    return stayForThePage(narrator);
  }
  return 0;
}

async function logInAndRun({ scene, narrator, person, listen }: Stage): Promise<void> {
  person.intend('approve');
  const steps = tellNineSteps(narrator, (step) => {
    const sheet = person.lastSheet();
    if (step === 6 && sheet !== null) {
      narrator.from('phone', ...sheetLines(sheet, Math.ceil(sheet.ttl / 1000), false));
      if (sheet.code === null) {
        narrator.from(
          'demo',
          'the host is new to the phone, which asks for the code on the headset',
        );
        narrator.from('person', 'reads it off the headset and types it on the phone');
      }
    }
  });
  listen(steps.see);
  const session = commandSession(COMMAND);
  const { connection, play } = openScene({
    ...scene,
    signerTimeout: null,
    openSession: () => session,
  });
  let end = await play('user.connect');
  for (let left = RECONNECTS; left > 0 && isUnfound(end.context.reason); left -= 1) {
    tellFailure(narrator, end);
    narrator.from('person', 'taps Reconnect');
    end = await play('user.reconnect');
  }
  listen(null);
  connection.stop();
  expectReason(end, null);
  if (steps.told() !== 9) throw new DemoFailed(`only ${steps.told()} of the nine steps happened`);

  const output = session.output().trimEnd();
  narrator.from('server', `ran ${COMMAND}, exit status ${end.context.exit?.status}:`);
  narrator.from('headset', showForeign(output, 200));
  if (output !== userInfo().username) throw new DemoFailed(`${COMMAND} printed something else`);
}

const isUnfound = (reason: FailureReason | null) =>
  reason === 'peerNotFound' || reason === 'peerUnreachable';

async function beDenied(stage: Stage): Promise<void> {
  stage.narrator.heading('The same again, and Deny');
  stage.narrator.from('demo', 'the link is still open; the phone asks again all the same');
  await failOnPurpose(stage, 'denied', null);
}

async function runOutOfTime(stage: Stage): Promise<void> {
  const { narrator } = stage;
  narrator.heading('The same again, and nobody looks at the phone');
  narrator.from('demo', `on a clock of ${SHORT_CLOCK / 1000} s instead of the ten, for the demo`);
  await failOnPurpose(stage, 'notApproved', SHORT_CLOCK);
}

/** Plays a scene that has to end in this reason without a signature, on the phone or at the server. */
async function failOnPurpose(
  { scene, narrator, person, server, seen, listen }: Stage,
  reason: 'denied' | 'notApproved',
  signerTimeout: number | null,
): Promise<void> {
  const signed = () => seen.filter(({ type }) => type === 'xstate.done.actor.keys').length;
  const before = { signed: signed(), sent: server.signaturesSeen() };
  const started = performance.now();
  person.intend(reason === 'denied' ? 'deny' : 'look away');
  listen(({ device, type }) => {
    if (device !== 'phone') return;
    if (type === 'sheet.shown') narrator.from('phone', 'shows the sheet');
    if (type === 'user.deny') narrator.from('person', 'taps Deny');
    if (type === 'request.expired') narrator.from('phone', 'takes the sheet away');
  });
  const { connection, play } = openScene({
    ...scene,
    signerTimeout,
    openSession: () => commandSession(COMMAND),
  });
  const end = await play('user.connect');
  listen(null);
  connection.stop();
  expectReason(end, reason);
  narrator.failure(reason);
  const took = ((performance.now() - started) / 1000).toFixed(1);
  if (signed() !== before.signed || server.signaturesSeen() !== before.sent) {
    throw new DemoFailed('something was signed all the same');
  }
  narrator.from('both', `after ${took} s; the phone signed nothing, the server got no signature`);
}

async function giveShell({ scene, narrator, person, listen }: Stage): Promise<void> {
  narrator.heading('The shell is yours');
  if (!hasPseudoTerminal()) {
    narrator.from(
      'server',
      'has no terminal to give: neither script (util-linux) nor python3 is here',
    );
    return;
  }
  narrator.from('demo', 'approved by the scripted person once more; exit ends the demo');
  person.intend('approve');
  listen(null);
  const { connection, play } = openScene({
    ...scene,
    signerTimeout: null,
    openSession: shellSession,
  });
  const end = await play('user.connect');
  process.stdin.setRawMode(false);
  connection.stop();
  expectReason(end, null);
}

function expectReason(end: ConnectionSnapshot, wanted: FailureReason | null): void {
  const { reason, detail } = end.context;
  if (reason === wanted) return;
  throw new DemoFailed(`ended with ${reason ?? 'a login'} (${showForeign(detail ?? '', 160)})`);
}

function tellFailure(narrator: Narrator, { context }: ConnectionSnapshot): void {
  if (context.reason !== null) narrator.failure(context.reason, context.detail);
}
