import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createDriving } from '../../app/headset/driving.ts';
import { saveHost } from '../../app/headset/records.ts';
import { openLog } from '../../app/running.ts';
import { temporaryDirectory } from '../support/event-log-directory.ts';

/** A headset that has a host saved where no server is. */
function headset() {
  vi.stubEnv('VMUX_HOME', temporaryDirectory());
  onTestFinished(() => void vi.unstubAllEnvs());
  const quiet = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  onTestFinished(() => quiet.mockRestore());
  const log = openLog('vmux');
  onTestFinished(() => log.close());
  const host = { name: 'nowhere', host: '127.0.0.1', port: 1, user: 'root' };
  saveHost(log, {
    ...host,
    term: 'xterm',
    authentication: 'remote-signer',
    signerTimeout: null,
  });
  const lines: string[] = [];
  return { log, lines, driving: createDriving(log, (line) => lines.push(line)) };
}

describe('driving', () => {
  it('waits for a connection that is being opened when the inspector ends, and ends it', async () => {
    const { log, lines, driving } = headset();
    const taken = driving.drive({ do: 'connect', host: 'nowhere' });
    await driving.close();
    await taken;
    expect(lines).toEqual(['the page asks for nowhere; its shell opens here']);
    const [stream = '', ...more] = log.streams('connection/');
    expect(more).toEqual([]);
    expect([...log.read(stream)].at(-1)?.type).toBe('app.stopped');
    await expect(driving.drive({ do: 'connect', host: 'nowhere' })).rejects.toMatchObject({
      name: 'Conflict',
      message: 'the inspector is ending',
    });
  });

  it('opens one connection at a time, and only what is saved', async () => {
    const { driving } = headset();
    const taken = driving.drive({ do: 'connect', host: 'nowhere' });
    await expect(driving.drive({ do: 'connect', host: 'nowhere' })).rejects.toMatchObject({
      message: 'a connection is being opened',
    });
    await taken;
    await expect(driving.drive({ do: 'connect', host: '127.0.0.1' })).rejects.toMatchObject({
      message: 'no host of that name is saved',
    });
    await driving.close();
  });

  it('has nothing to cancel and nothing to reconnect before a connection', async () => {
    const { driving } = headset();
    expect(driving.state()).toEqual({ hosts: ['nowhere'], connection: null });
    await expect(driving.drive({ do: 'cancel' })).rejects.toMatchObject({ name: 'Conflict' });
    await expect(driving.drive({ do: 'reconnect' })).rejects.toMatchObject({ name: 'Conflict' });
    await driving.close();
  });
});
