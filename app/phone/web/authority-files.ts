/** The certificate of the phone's page, as files: made here and renewed, or its person's own. */
import { createPrivateKey } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import {
  certificateFacts,
  createAuthority,
  isCertificateFor,
  isDue,
  isIssuedBy,
  issueLeaf,
  type KeyedCertificate,
} from '../../../adapters/certificates/authority.ts';
import { createPrivateFile, prepareHome, readPrivateFile } from '../../home.ts';
import { Trouble, WrongUsage } from '../../trouble.ts';
import type { Place } from './place.ts';

export interface PlaceCertificate {
  /** PEM. */
  cert: string;
  key: string;
  /** Milliseconds since 1970. */
  notAfter: number;
  /** `null` for a certificate of their own. */
  authority: { certificatePem: string; sha256: string } | null;
}

const schema = z.strictObject({
  host: z.string(),
  privateKeyPem: z.string(),
  certificatePem: z.string(),
});

type Kept = z.infer<typeof schema>;

const folderOf = (home: string) => join(home, 'web');
const DAY = 24 * 3600 * 1000;
const WARNED_DAYS = 30;

/** Makes the authority at the first time, and the certificate whenever it is due. @throws {Trouble} @throws {WrongUsage} */
export async function certificateFor(
  home: string,
  { host, certificate }: Place,
  now = Date.now(),
): Promise<PlaceCertificate> {
  if (certificate.kind === 'files') return fromFiles(certificate, host);
  const authority = await authorityFor(home, host);
  const { certificatePem } = authority;
  const leaf = await leafFor(home, authority, host, now);
  return {
    cert: leaf.certificatePem,
    key: leaf.privateKeyPem,
    notAfter: certificateFacts(leaf.certificatePem).notAfter,
    authority: { certificatePem, sha256: certificateFacts(certificatePem).sha256 },
  };
}

/** The name that the authority here is for; `null`: there is none. @throws {Trouble} */
export const authorityName = (home: string): string | null =>
  read(home, 'authority.json')?.host ?? null;

/** With the name, its authority goes. */
export function forgetCertificates(home: string): void {
  for (const name of ['authority.json', 'leaf.json']) {
    rmSync(join(folderOf(home), name), { force: true });
  }
}

/** As it lies there: nothing is made. `null`: there is none. @throws {Trouble} @throws {WrongUsage} */
export function keptCertificate(
  home: string,
  { host, certificate }: Place,
): Pick<PlaceCertificate, 'notAfter' | 'authority'> | null {
  if (certificate.kind === 'files') return fromFiles(certificate, host);
  const [authority, leaf] = [read(home, 'authority.json'), read(home, 'leaf.json')];
  if (authority?.host !== host || leaf?.host !== host || !isIssuedBy(authority, leaf)) return null;
  const { certificatePem } = authority;
  const { notAfter, sha256 } = certificateFacts(certificatePem);
  return {
    notAfter: Math.min(notAfter, certificateFacts(leaf.certificatePem).notAfter),
    authority: { certificatePem, sha256 },
  };
}

/** A sentence when it expires soon, or has; else `null`. */
export function certificateWarning(notAfter: number, now: number): string | null {
  const days = Math.floor((notAfter - now) / DAY);
  if (days >= WARNED_DAYS) return null;
  if (days < 0) return 'the certificate of the page has expired: phones refuse the page';
  return `the certificate of the page expires in ${days} ${days === 1 ? 'day' : 'days'}`;
}

async function authorityFor(home: string, host: string): Promise<Kept> {
  const kept = read(home, 'authority.json');
  if (kept?.host === host) return kept;
  if (kept !== null) throw new Trouble('stateUnusable', 'web/authority.json is for another name');
  const made = { host, ...(await createAuthority(host)) };
  // Another process may have been first.
  return write(home, 'authority.json', made) ? made : authorityFor(home, host);
}

async function leafFor(
  home: string,
  authority: KeyedCertificate,
  host: string,
  now: number,
): Promise<KeyedCertificate> {
  const kept = read(home, 'leaf.json');
  const isGood =
    kept?.host === host &&
    isIssuedBy(authority, kept) &&
    !isDue(certificateFacts(kept.certificatePem).notAfter, now);
  if (isGood) return kept;
  const made = { host, ...(await issueLeaf(authority, host, now)) };
  rmSync(join(folderOf(home), 'leaf.json'), { force: true });
  write(home, 'leaf.json', made);
  return made;
}

function read(home: string, name: string): Kept | null {
  const text = readPrivateFile(join(folderOf(home), name));
  if (text === null) return null;
  try {
    const kept = schema.parse(JSON.parse(text));
    certificateFacts(kept.certificatePem);
    return kept;
  } catch {
    throw new Trouble('stateUnusable', `web/${name} is damaged; remove it: another is made`);
  }
}

function write(home: string, name: string, kept: Kept): boolean {
  prepareHome(home);
  mkdirSync(folderOf(home), { recursive: true, mode: 0o700 });
  return createPrivateFile(join(folderOf(home), name), `${JSON.stringify(kept)}\n`);
}

/** @throws {WrongUsage} when they cannot be read, or are not one pair for this host. */
export function fromFiles(
  { cert, key }: { cert: string; key: string },
  host: string,
): PlaceCertificate {
  const [certificatePem, privateKeyPem] = [cert, key].map((path) => {
    try {
      return readFileSync(resolve(path), 'utf8');
    } catch (error) {
      throw new WrongUsage(`the page’s certificate cannot be read: ${(error as Error).message}`);
    }
  }) as [string, string];
  if (!isCertificateFor({ certificatePem, privateKeyPem }, host, createPrivateKey)) {
    throw new WrongUsage(`that certificate and key are not one pair for ${host}`);
  }
  const { notAfter } = certificateFacts(certificatePem);
  return { cert: certificatePem, key: privateKeyPem, notAfter, authority: null };
}
