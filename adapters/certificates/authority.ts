/**
 * A certificate authority for one host name and nothing else: critical name constraints (RFC 5280
 * §4.2.1.10) say so, so that whoever gets its key can pretend to be that host only.
 */
import { randomBytes, webcrypto, X509Certificate, KeyObject } from 'node:crypto';

/** PEM. The key is PKCS #8, and secret. */
export interface KeyedCertificate {
  privateKeyPem: string;
  certificatePem: string;
}

const DAY = 24 * 3600 * 1000;
const AUTHORITY_DAYS = 3650;
/** Public authorities may not give more; browsers hold others to at most 825. */
const LEAF_DAYS = 397;
/** A leaf with less left than this is made anew. */
const RENEWED_DAYS = 60;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

async function library() {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto);
  return x509;
}

type Library = Awaited<ReturnType<typeof library>>;

/** `now`: milliseconds since 1970. */
export async function createAuthority(host: string, now = Date.now()): Promise<KeyedCertificate> {
  const x509 = await library();
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: commonName(`Remote signer at ${host}`, 'Remote signer'),
    // A clock that is a day behind must not make it worthless.
    notBefore: new Date(now - DAY),
    notAfter: new Date(now + AUTHORITY_DAYS * DAY),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      // Names of mail and people are not constrained: nothing but web servers is certified.
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      onlyFor(x509, host),
    ],
  });
  return keyed(keys.privateKey, certificate.toString('pem'));
}

/** A certificate for the host, by its authority. */
export async function issueLeaf(
  authority: KeyedCertificate,
  host: string,
  now = Date.now(),
): Promise<KeyedCertificate> {
  const x509 = await library();
  const issuer = new x509.X509Certificate(authority.certificatePem);
  const pem = authority.privateKeyPem.replace(/-----[^-]+-----|\s/g, '');
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    Buffer.from(pem, 'base64'),
    algorithm,
    false,
    ['sign'],
  );
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: commonName(host, 'Remote signer page'),
    issuer: issuer.subject,
    notBefore: new Date(now - DAY),
    notAfter: new Date(now + LEAF_DAYS * DAY - DAY),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return keyed(keys.privateKey, certificate.toString('pem'));
}

/** `notAfter`, `now`: milliseconds since 1970. */
export const isDue = (notAfter: number, now = Date.now()) => notAfter - now < RENEWED_DAYS * DAY;

/** What people and programs want to know of a certificate. Throws when `pem` is none. */
export function certificateFacts(pem: string): { notAfter: number; sha256: string } {
  const certificate = new X509Certificate(pem);
  return {
    notAfter: certificate.validToDate.getTime(),
    /** Pairs of capital hex digits with colons between them. */
    sha256: certificate.fingerprint256,
  };
}

/** Whether the authority has signed it. Throws when one of them is no certificate. */
export function isIssuedBy(authority: KeyedCertificate, leaf: KeyedCertificate): boolean {
  const issuer = new X509Certificate(authority.certificatePem);
  return new X509Certificate(leaf.certificatePem).verify(issuer.publicKey);
}

/** Whether `certificatePem` is for this host and has this key. Never throws. */
export function isCertificateFor(
  { certificatePem, privateKeyPem }: KeyedCertificate,
  host: string,
  createPrivateKey: (pem: string) => KeyObject,
): boolean {
  try {
    const certificate = new X509Certificate(certificatePem);
    const isNamed = certificate.checkHost(host) !== undefined;
    return isNamed && certificate.checkPrivateKey(createPrivateKey(privateKeyPem));
  } catch {
    return false;
  }
}

/** RFC 5280 appendix A: at most 64 characters, which a host name may exceed. */
const commonName = (text: string, otherwise: string) =>
  `CN=${text.length <= 64 ? text : otherwise}`;

/**
 * Permits this DNS name, and no IP address. A permitted name permits those below it, so they are
 * excluded: with a leading dot, which RFC 5280 does not have for DNS names, but verifiers do.
 */
function onlyFor(x509: Library, host: string) {
  const dns = tlv(0x82, Buffer.from(host));
  const below = subtree(tlv(0x82, Buffer.from(`.${host}`)));
  const everyAddress = [8, 32].map((length) => subtree(tlv(0x87, Buffer.alloc(length))));
  const permitted = tlv(0xa0, subtree(dns));
  const excluded = tlv(0xa1, Buffer.concat([below, ...everyAddress]));
  return new x509.Extension('2.5.29.30', true, tlv(0x30, Buffer.concat([permitted, excluded])));
}

const subtree = (name: Buffer) => tlv(0x30, name);

/** DER with a length below 65,536. */
function tlv(tag: number, value: Buffer): Buffer {
  const { length } = value;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), value]);
}

/** RFC 5280 §4.1.2.2: positive, and no leading zero byte. */
function newSerial(): string {
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial.toString('hex');
}

const keyed = (privateKey: webcrypto.CryptoKey, certificatePem: string): KeyedCertificate => ({
  privateKeyPem: KeyObject.from(privateKey).export({ type: 'pkcs8', format: 'pem' }) as string,
  certificatePem: `${certificatePem}\n`,
});
