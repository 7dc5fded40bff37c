import { once } from 'node:events';
import { randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { connect, createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  certificateFacts,
  createAuthority,
  isDue,
  isIssuedBy,
  issueLeaf,
  type KeyedCertificate,
} from '../../adapters/certificates/authority.ts';

const HOST = 'signer-test.local';
const DAY = 24 * 3600 * 1000;
const NOW = Date.now();

let authority: KeyedCertificate;
beforeAll(async () => {
  authority = await createAuthority(HOST);
});

/** `null`: OpenSSL, as a client that trusts the authority, takes it for that name; else why not. */
async function refusal(leaf: KeyedCertificate, name: string): Promise<string | null> {
  const server = createServer({ cert: leaf.certificatePem, key: leaf.privateKeyPem });
  server
    .on('tlsClientError', () => {})
    .on('secureConnection', (socket) => socket.on('error', () => {}));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const isAddress = /^[\d.]+$/.test(name);
  const client = connect({
    host: '127.0.0.1',
    port,
    ca: authority.certificatePem,
    ...(!isAddress && { servername: name }),
  });
  try {
    await once(client, 'secureConnect');
    return null;
  } catch (error) {
    return (error as Error).message;
  } finally {
    client.destroy();
    server.close();
  }
}

/** By somebody who got the authority's key: `issueLeaf` itself makes none with an address. */
async function leafForAddress(address: string): Promise<KeyedCertificate> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    Buffer.from(authority.privateKeyPem.replace(/-----[^-]+-----|\s/g, ''), 'base64'),
    algorithm,
    false,
    ['sign'],
  );
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: `40${randomBytes(8).toString('hex')}`,
    subject: 'CN=address',
    issuer: new x509.X509Certificate(authority.certificatePem).subject,
    notBefore: new Date(NOW - DAY),
    notAfter: new Date(NOW + DAY),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: address }])],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return {
    certificatePem: certificate.toString('pem'),
    privateKeyPem: `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString('base64')}\n-----END PRIVATE KEY-----\n`,
  };
}

describe('an authority for one host', () => {
  it('certifies that host', async () => {
    expect(await refusal(await issueLeaf(authority, HOST), HOST)).toBeNull();
  });

  it.each([
    'other.local',
    'example.com',
    `sub.${HOST}`,
    `*.${HOST}`,
    `x${HOST}`,
    `${HOST}.example`,
  ])('certifies no other name: %s', async (name) => {
    const leaf = await issueLeaf(authority, name);
    const reason = name.endsWith(`.${HOST}`) ? 'excluded' : 'permitted';
    expect(await refusal(leaf, name.replace('*', 'any'))).toBe(`${reason} subtree violation`);
  });

  it.each(['127.0.0.1', '::1'])('certifies no address: %s', async (address) => {
    expect(await refusal(await leafForAddress(address), '127.0.0.1')).toBe(
      'excluded subtree violation',
    );
  });

  it('says critically what it may certify, and that nothing is below it', () => {
    const { ca, keyUsage, raw, subject } = new X509Certificate(authority.certificatePem);
    expect({ ca, keyUsage, subject }).toEqual({
      ca: true,
      // Node calls the extended ones so: web servers.
      keyUsage: ['1.3.6.1.5.5.7.3.1'],
      subject: `CN=Remote signer at ${HOST}`,
    });
    // 2.5.29.30, TRUE; 2.5.29.19, TRUE, with a path of 0.
    expect(raw.includes(Buffer.from('0603551d1e0101ff', 'hex'))).toBe(true);
    expect(raw.includes(Buffer.from('0603551d130101ff040830060101ff020100', 'hex'))).toBe(true);
  });

  it('holds for a host whose name is as long as names may be', async () => {
    const host = [60, 60, 60, 60].map((length) => 'a'.repeat(length)).join('.') + '.local';
    authority = await createAuthority(host);
    const leaf = await issueLeaf(authority, host);
    const { subject } = new X509Certificate(leaf.certificatePem);
    expect(subject).toBe('CN=Remote signer page');
    expect(await refusal(leaf, host)).toBeNull();
    authority = await createAuthority(HOST);
  });
});

describe('a certificate of the page', () => {
  it('is valid for 397 days at most, from a day before it was made', async () => {
    const leaf = new X509Certificate((await issueLeaf(authority, HOST, NOW)).certificatePem);
    const days = (date: Date) => Math.round((date.getTime() - NOW) / DAY);
    expect([days(leaf.validFromDate), days(leaf.validToDate)]).toEqual([-1, 396]);
  });

  it('has a serial number and a key of its own each time', async () => {
    const [a, b] = await Promise.all([issueLeaf(authority, HOST), issueLeaf(authority, HOST)]);
    const [first, second] = [a, b].map((leaf) => new X509Certificate(leaf!.certificatePem));
    expect(first!.serialNumber).not.toBe(second!.serialNumber);
    expect(a.privateKeyPem).not.toBe(b.privateKeyPem);
  });

  it('is refused when it has expired', async () => {
    const leaf = await issueLeaf(authority, HOST, NOW - 400 * DAY);
    expect(await refusal(leaf, HOST)).toBe('certificate has expired');
  });

  it('is told from one of another authority for the same host', async () => {
    const other = await createAuthority(HOST);
    expect(isIssuedBy(authority, await issueLeaf(authority, HOST))).toBe(true);
    expect(isIssuedBy(authority, await issueLeaf(other, HOST))).toBe(false);
  });

  it('is due with less than 60 days left', () => {
    expect(isDue(NOW + 61 * DAY, NOW)).toBe(false);
    expect(isDue(NOW + 59 * DAY, NOW)).toBe(true);
    expect(isDue(NOW - DAY, NOW)).toBe(true);
  });

  it('has a fingerprint in pairs of capital hex digits', () => {
    const { sha256 } = certificateFacts(authority.certificatePem);
    expect(sha256).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  });
});
