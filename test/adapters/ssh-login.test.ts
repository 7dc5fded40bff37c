import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  logIn,
  makeIdentity,
  publicPart,
  runSshPort,
  signAs,
  type Harness,
  type HarnessOptions,
} from '../support/ssh-port.ts';
import { hasSshd, startSshd, type Sshd, type SshdOptions } from '../support/sshd.ts';

const patiently = { timeout: 10_000 };

const phone = [makeIdentity('first'), makeIdentity('second'), makeIdentity('third')] as const;
const [first, second, third] = phone;

describe.skipIf(!hasSshd)('logging in to a real sshd (skipped where there is none)', () => {
  let server: Sshd;
  let runs: Harness[];

  const start = async (options: SshdOptions = {}): Promise<void> => {
    server = await startSshd(options);
  };
  const connect = (options: HarnessOptions = {}): Harness => {
    const run = runSshPort({ host: server.address, port: server.port, user: null }, options);
    runs.push(run);
    return run;
  };
  beforeEach(() => {
    runs = [];
  });
  afterEach(async () => {
    for (const run of runs) run.stop();
    await server.stop();
  });

  it('goes from the typed name to the end of the command, each step reported once', async () => {
    await start({ authorizedKeys: [first.line] });
    const run = connect({ session: { command: 'exit 0' } });
    await logIn(run, [first]);
    await run.next('ssh.closed');

    const user = spawnSync('id', ['-un']).stdout.toString().trim();
    const at = expect.any(Number);
    const hostKey = server.hostKeys.ed25519?.publicKey.split(' ')[1] ?? '';
    expect(run.facts).toEqual([
      { type: 'ssh.resolved', hostname: '127.0.0.1', port: server.port, user, at },
      { type: 'ssh.hostKeyUnknown', fingerprint: fingerprint(server), keyType: 'ssh-ed25519', at },
      { type: 'ssh.publickeyWanted', methods: ['publickey'], at },
      {
        type: 'ssh.identityAccepted',
        fingerprint: first.fingerprint,
        requestId: 'request-1',
        challengeHash: expect.stringMatching(/^[0-9a-f]{64}$/),
        code: '01',
        at,
      },
      { type: 'ssh.authenticated', at },
      { type: 'ssh.closed', status: 0, signal: null, detail: '', at },
    ]);
    expect(run.pinned).toEqual([
      { name: '127.0.0.1', port: server.port, keyType: 'ssh-ed25519', key: hostKey },
    ]);
  });

  it('asks for one signature when the second of three identities is the authorised one', async () => {
    await start({ authorizedKeys: [second.line] });
    const run = connect();
    await offerAfterHostKey(run);
    await run.next('ssh.identityAccepted');
    expect(run.types()).toEqual([
      'ssh.resolved',
      'ssh.hostKeyUnknown',
      'ssh.publickeyWanted',
      'ssh.identityRefused',
      'ssh.identityAccepted',
    ]);
    expect(run.facts.at(-2)).toMatchObject({ fingerprint: first.fingerprint });
    expect(run.facts.at(-1)).toMatchObject({ fingerprint: second.fingerprint });
  });

  it('erases the challenge and moves to no other identity when the request is denied', async () => {
    await start({ authorizedKeys: [first.line, second.line] });
    const run = connect();
    await offerAfterHostKey(run);
    const { requestId } = await run.next('ssh.identityAccepted');
    const challenge = run.vault.challenge(requestId);
    const before = run.types();

    run.stop();
    await logged(server, 'preauth');
    expect(run.vault.challenge(requestId)).toBeNull();
    expect(challenge?.every((byte) => byte === 0)).toBe(true);
    expect(run.types()).toEqual(before);
    expect(server.log()).not.toContain(second.fingerprint);
    expect(server.log()).not.toContain('Accepted publickey');
  });

  it('reports a key that is on no line of authorized_keys as permission denied', async () => {
    await start();
    const run = connect();
    await offerAfterHostKey(run);
    await run.next('ssh.permissionDenied');
    expect(run.types().slice(3)).toEqual([
      'ssh.identityRefused',
      'ssh.identityRefused',
      'ssh.identityRefused',
      'ssh.permissionDenied',
    ]);
    expect(run.facts.at(-1)).toMatchObject({ methods: ['publickey'] });
  });

  it('offers at most five of thirty identities', async () => {
    const thirty = Array.from({ length: 30 }, (_, index) => makeIdentity(`key ${index}`));
    await start({ authorizedKeys: [thirty[5]?.line ?? ''] });
    const run = connect();
    await offerAfterHostKey(run, thirty);
    await run.next('ssh.permissionDenied');
    expect(run.types().filter((type) => type === 'ssh.identityRefused')).toHaveLength(5);
    expect(run.types()).not.toContain('ssh.identityAccepted');
  });

  it('never offers again what was refused, and counts all lists together', async () => {
    const nine = Array.from({ length: 9 }, (_, index) => makeIdentity(`key ${index}`));
    await start({ authorizedKeys: [nine[2]?.line ?? ''] });
    const run = connect();
    await offerAfterHostKey(run, nine.slice(0, 3));
    await run.next('ssh.identityAccepted');
    const others = [...nine.slice(0, 2), ...nine.slice(3)];
    run.send({ type: 'ssh.offer', identities: others.map(publicPart) });
    await run.next('ssh.permissionDenied');
    const refused = run.facts.flatMap((fact) =>
      fact.type === 'ssh.identityRefused' ? [fact.fingerprint] : [],
    );
    const expected = [nine[0], nine[1], nine[3], nine[4]].map((key) => key?.fingerprint);
    expect(refused).toEqual(expected);
    expect(run.vault.challenge('request-1')).toBeNull();
  });

  it('makes a new request when the accepted identity is offered again', async () => {
    await start({ authorizedKeys: [second.line] });
    const run = connect();
    await offerAfterHostKey(run, [second]);
    await run.next('ssh.identityAccepted');
    run.send({ type: 'ssh.offer', identities: [publicPart(second)] });
    await expect.poll(() => run.vault.challenge('request-2'), patiently).not.toBeNull();
    expect(run.vault.challenge('request-1')).toBeNull();
    const challenge = run.vault.challenge('request-2');
    if (challenge === null) throw new Error('no challenge');
    run.vault.putSignature('request-2', signAs(second, challenge));
    run.send({ type: 'ssh.handOver', requestId: 'request-1' });
    run.send({ type: 'ssh.handOver', requestId: 'request-2' });
    await run.next('ssh.closed');
    expect(run.facts.at(-1)).toMatchObject({ status: 0 });
  });

  it('takes the methods of "Too many authentication failures" for permission denied', async () => {
    await start({ config: ['MaxAuthTries 2'], authorizedKeys: [third.line] });
    const run = connect();
    await offerAfterHostKey(run);
    await run.next('ssh.permissionDenied');
    expect(run.facts.at(-1)).toMatchObject({ methods: ['publickey'] });
    expect(run.types()).not.toContain('ssh.identityAccepted');
  });

  it('has a recorded signature refused in a second handshake', async () => {
    await start({ authorizedKeys: [first.line, second.line] });
    const recorded = connect();
    await offerAfterHostKey(recorded, [first]);
    await recorded.next('ssh.identityAccepted');
    const challenge = recorded.vault.challenge('request-1');
    if (challenge === null) throw new Error('no challenge');
    const signature = signAs(first, challenge);
    recorded.stop();

    const replayed = connect();
    await offerAfterHostKey(replayed, [first, second]);
    await replayed.next('ssh.identityAccepted');
    replayed.vault.putSignature('request-1', signature);
    replayed.send({ type: 'ssh.handOver', requestId: 'request-1' });
    await replayed.next('ssh.permissionDenied');
    expect(replayed.types().slice(3)).toEqual(['ssh.identityAccepted', 'ssh.permissionDenied']);
    expect(server.log()).not.toContain('Accepted publickey');
    expect(signature.every((byte) => byte === 0)).toBe(true);
  });

  it('sends nothing when what was handed over is no signature', async () => {
    await start({ authorizedKeys: [first.line] });
    const run = connect();
    await offerAfterHostKey(run);
    await run.next('ssh.identityAccepted');
    run.vault.putSignature('request-1', Buffer.from('not a signature'));
    run.send({ type: 'ssh.handOver', requestId: 'request-1' });
    await run.next('ssh.failed');
    expect(run.facts.at(-1)).toMatchObject({ reason: 'internalError' });
    expect(server.log()).not.toContain('Accepted publickey');
  });

  it('says so when the server does not offer publickey', async () => {
    await start({ config: ['PubkeyAuthentication no', 'PasswordAuthentication yes'] });
    const run = connect();
    await run.next('ssh.hostKeyUnknown');
    run.send({ type: 'ssh.acceptHostKey' });
    await run.next('ssh.publickeyNotOffered');
    expect(run.facts.at(-1)).toMatchObject({ methods: ['password'] });
  });

  it('passes the banner on and never shows it as a fact', async () => {
    await start({ config: ['Banner /etc/hostname'], authorizedKeys: [first.line] });
    const run = connect();
    await logIn(run, [first]);
    expect(run.banners).toHaveLength(1);
  });

  it('reports a server that hangs up while the person reads the sheet', async () => {
    await start({ authorizedKeys: [first.line] });
    const run = connect();
    await offerAfterHostKey(run);
    const { requestId } = await run.next('ssh.identityAccepted');
    server.killSessions();
    await run.next('ssh.failed');
    expect(run.facts.at(-1)).toMatchObject({ reason: 'serverClosed' });
    expect(run.vault.challenge(requestId)).toBeNull();
  });
});

/** Confirms the unknown host key and offers these identities. */
async function offerAfterHostKey(run: Harness, identities = [...phone]): Promise<void> {
  await run.next('ssh.hostKeyUnknown');
  run.send({ type: 'ssh.acceptHostKey' });
  await run.next('ssh.publickeyWanted');
  run.send({ type: 'ssh.offer', identities: identities.map(publicPart) });
}

function fingerprint(server: Sshd): string {
  const listed = spawnSync('ssh-keygen', ['-lf', `${server.hostKeys.ed25519?.path}.pub`]);
  return listed.stdout.toString().split(' ')[1] ?? '';
}

/** Waits for a word in sshd's log. */
async function logged(server: Sshd, words: string): Promise<void> {
  await expect.poll(() => server.log(), patiently).toContain(words);
}
