import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  createAuthority,
  issueLeaf,
  type KeyedCertificate,
} from '../../adapters/certificates/authority.ts';
import { chromiumMissing, openBrowser } from '../support/browser.ts';

const HOST = 'signer-test.local';
const DAY = 24 * 3600 * 1000;

const lacking =
  chromiumMissing ??
  (spawnSync('certutil', ['-H']).error === undefined ? null : 'no certutil on this machine');

describe.skipIf(lacking !== null)(
  `a browser that trusts the authority of one name${lacking === null ? '' : ` [skipped: ${lacking}]`}`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'vmux-certificate-'));
    let authority: KeyedCertificate;
    let browser: Browser;
    let server: Server | null = null;

    beforeAll(async () => {
      authority = await createAuthority(HOST);
      const store = join(directory, '.pki/nssdb');
      mkdirSync(store, { recursive: true });
      writeFileSync(join(directory, 'ca.pem'), authority.certificatePem);
      const certutil = (...args: string[]) =>
        execFileSync('certutil', ['-d', `sql:${store}`, ...args]);
      certutil('-N', '--empty-password');
      certutil('-A', '-t', 'C,,', '-n', 'signer', '-i', join(directory, 'ca.pem'));
      // The names lead here; what the browser thinks of certificates is left alone.
      browser = await openBrowser(directory, ['env', `HOME=${directory}`], {
        args: ['--host-resolver-rules=MAP *.local 127.0.0.1'],
      });
    });
    afterEach(async () => {
      server?.closeAllConnections();
      server?.close();
      server = null;
    });
    afterAll(async () => {
      await browser?.close();
      rmSync(directory, { recursive: true, force: true });
    });

    /** What the browser shows at that name, or why it refuses. */
    async function visit(host: string, leaf: KeyedCertificate): Promise<string> {
      const { certificatePem: cert, privateKeyPem: key } = leaf;
      server = createServer({ cert, key }, (_request, response) => response.end('the page'));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const context = await browser.newContext();
      try {
        const page = await context.newPage();
        await page.goto(`https://${host}:${port}/`);
        return await page.innerText('body');
      } catch (error) {
        return /net::(\w+)/.exec(String(error))?.[1] ?? String(error);
      } finally {
        await context.close();
      }
    }

    it('opens the page at that name', async () => {
      expect(await visit(HOST, await issueLeaf(authority, HOST))).toBe('the page');
    });

    it.each(['other.local', 'example.com.local', `${HOST}.example.local`, `sub.${HOST}`])(
      'refuses another name under the same authority: %s',
      async (host) => {
        expect(await visit(host, await issueLeaf(authority, host))).toBe('ERR_CERT_INVALID');
      },
    );

    it('refuses an address under the same authority', async () => {
      const leaf = await issueLeaf(authority, '127.0.0.1');
      expect(await visit('127.0.0.1', leaf)).toMatch(/^ERR_CERT/);
    });

    it('refuses the right certificate at another name', async () => {
      const leaf = await issueLeaf(authority, HOST);
      expect(await visit('other.local', leaf)).toBe('ERR_CERT_COMMON_NAME_INVALID');
    });

    it('refuses a certificate that has expired', async () => {
      const leaf = await issueLeaf(authority, HOST, Date.now() - 400 * DAY);
      expect(await visit(HOST, leaf)).toBe('ERR_CERT_DATE_INVALID');
    });

    it('refuses an authority of the same name that it was not given', async () => {
      const other = await createAuthority(HOST);
      expect(await visit(HOST, await issueLeaf(other, HOST))).toBe('ERR_CERT_AUTHORITY_INVALID');
    });
  },
);
