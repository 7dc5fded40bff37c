import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exportedPage } from '../../app/inspector/exported-page.ts';
import { joinSources } from '../../app/inspector/joined-source.ts';
import { keyOf } from '../../app/inspector/page/moments.ts';
import type { Exported } from '../../app/inspector/protocol.ts';
import { writeExport } from '../../app/inspector/write-export.ts';
import { chromiumMissing, openBrowser } from '../support/browser.ts';
import { temporaryDirectory } from '../support/event-log-directory.ts';
import { startedInspector } from './inspector-client.ts';
import { recordedDevice, stopTime } from './recorded-devices.ts';
import { CONNECTION, LINK, recordLogin, SIGNER } from './recorded-login.ts';

function dataIn(page: string): Exported {
  const [, json = ''] =
    /<script type="application\/json" id="exported">(.*?)<\/script>/s.exec(page) ?? [];
  return JSON.parse(json);
}

async function both() {
  const { headset, phone } = await recordLogin();
  return joinSources(headset.source, phone.source);
}

describe('an exported flow', () => {
  it('holds every frame of it and what could have happened there, and both charts', async () => {
    stopTime();
    const source = await both();
    const { opening, flow, views, whatIfs } = dataIn(await exportedPage(source, CONNECTION));
    expect(opening).toMatchObject({ shows: 'both', driving: null, notices: [] });
    expect(opening.charts.map(({ machine }) => machine).toSorted()).toEqual([
      'connection',
      'headset-pairing',
      'link',
      'phone-pairing',
      'signer',
      'signing',
    ]);
    expect(opening.flows).toEqual([flow.summary]);
    expect(flow).toEqual(await source.flow(CONNECTION));
    const places = [...flow.before, ...flow.rows];
    for (const { device, stream, version } of places) {
      const place = { device, stream, version };
      expect([views[`${stream}@${version}`]]).toEqual(await source.views([place]));
      expect(whatIfs[`${stream}@${version}`]).toEqual(await source.whatIf(place));
    }
    expect(Object.keys(views)).toHaveLength(new Set(places.map(keyOf)).size);
    expect(new Set(places.map(({ stream }) => stream))).toEqual(
      new Set([CONNECTION, LINK, SIGNER]),
    );
  });

  it('fetches nothing: no address and no file is in it', async () => {
    stopTime();
    const page = await exportedPage(await both(), CONNECTION);
    const [, policy = ''] =
      /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
    expect(policy).toMatch(
      /^default-src 'none'; script-src 'sha256-\S+'; style-src 'sha256-\S+' 'sha256-\S+'; img-src data:; base-uri 'none'; form-action 'none'$/,
    );
    expect(page).not.toMatch(/\s(src|href)="(?!data:)/);
    expect(page).not.toMatch(/^\s*(import|export)\b/m);
  });

  it('cannot be broken out of by what was recorded', async () => {
    stopTime();
    const { source, start } = recordedDevice('headset');
    const { headsetPairingMachine } =
      await import('../../machines/pairing/headset-pairing.machine.ts');
    const deviceName = '</script><script>alert(1)</script><!--';
    start('headset-pairing', headsetPairingMachine, { deviceName }, 'one');
    const page = await exportedPage(source, 'headset-pairing/one');
    expect(page).not.toContain('alert(1)</script>');
    expect(dataIn(page).views['headset-pairing/one@1']?.context).toMatchObject({ deviceName });
  });

  it('is served to the page as a file to be saved', async () => {
    stopTime();
    const { headset } = await recordLogin();
    const client = await startedInspector(headset.source);
    await client.enter();
    const reply = await client.ask(`/api/export?flow=${encodeURIComponent(CONNECTION)}`);
    expect(reply.headers['content-disposition']).toBe('attachment; filename="flow.html"');
    expect(dataIn(reply.text).flow.summary.id).toBe(CONNECTION);
    expect((await client.ask('/api/export?flow=none')).status).toBe(404);
  });
});

describe('the file', () => {
  it('is its owner’s alone, of the newest flow that is no link, and not written over', async () => {
    stopTime();
    const { headset } = await recordLogin();
    const file = join(temporaryDirectory(), 'flow.html');
    await writeExport(headset.source, file, null, false);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(dataIn(readFileSync(file, 'utf8')).flow.summary.id).toBe(CONNECTION);
    writeFileSync(file, 'mine');
    const refused = { name: 'WrongUsage', message: `${file} is there already: --force` };
    await expect(writeExport(headset.source, file, null, false)).rejects.toMatchObject(refused);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    await writeExport(headset.source, file, LINK, true);
    expect(dataIn(readFileSync(file, 'utf8')).flow.summary.id).toBe(LINK);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is not written for a flow that is not there, or from an empty log', async () => {
    stopTime();
    const { headset } = await recordLogin();
    const file = join(temporaryDirectory(), 'flow.html');
    await expect(writeExport(headset.source, file, 'connection/none', false)).rejects.toThrow(
      'there is no such flow in this log',
    );
    const { source } = recordedDevice('headset');
    await expect(writeExport(source, file, null, false)).rejects.toThrow(
      'nothing was recorded yet',
    );
  });

  it.skipIf(chromiumMissing !== null)('opens in a browser without a network', async () => {
    stopTime();
    const source = await both();
    const directory = temporaryDirectory();
    const file = join(directory, 'flow.html');
    await writeExport(source, file, CONNECTION, false);
    const browser = await openBrowser(directory);
    onTestFinished(() => browser.close());
    const context = await browser.newContext({ offline: true });
    const page = await context.newPage();
    const faults: string[] = [];
    const asked: string[] = [];
    page.on('pageerror', ({ message }) => faults.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    page.on('request', (request) => asked.push(request.url()));
    const address = pathToFileURL(file).href;
    await page.goto(address);
    await page.waitForFunction(() => Reflect.get(globalThis, 'document').body.dataset.ready);
    expect(faults).toEqual([]);
    expect(asked.filter((url) => !url.startsWith('data:'))).toEqual([address]);
    expect(await page.textContent('body')).toContain('log in at bench as root');
  });
});
