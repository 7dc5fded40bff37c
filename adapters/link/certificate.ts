import { createHash, webcrypto, type X509Certificate, KeyObject, randomBytes } from 'node:crypto';

/** What a device is to its peers: a P-256 key and the self-signed certificate that carries it. */
export interface DeviceIdentity {
  /** PKCS #8. Secret: whoever has it is this device. */
  privateKeyPem: string;
  certificatePem: string;
  /** See `pinOf`. */
  pin: string;
}

/** What a device keeps of one that it is paired with. */
export interface PairedDevice {
  id: string;
  /** As the other device named itself at pairing: a foreign string. */
  name: string;
  pin: string;
  certificatePem: string;
}

/** The SHA-256 of a certificate's SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), base64url. */
export function pinOf(certificate: X509Certificate): string {
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('base64url');
}

/**
 * Makes a new device identity. Nothing personal is in the certificate, and it is valid from 1970 to
 * 9999: a device whose clock is wrong stays paired. Keeping the key is up to the caller.
 */
export async function createDeviceIdentity(): Promise<DeviceIdentity> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto);

  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const serial = randomBytes(16);
  // RFC 5280 §4.1.2.2: positive, and no leading zero byte.
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial.toString('hex'),
    name: 'CN=vmux-signer device',
    notBefore: new Date(0),
    notAfter: new Date('9999-12-31T23:59:59Z'),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      // All devices have one subject name: by these, verification tells their certificates apart.
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const spki = KeyObject.from(keys.publicKey).export({ type: 'spki', format: 'der' });
  return {
    privateKeyPem: KeyObject.from(keys.privateKey).export({
      type: 'pkcs8',
      format: 'pem',
    }) as string,
    certificatePem: certificate.toString('pem'),
    pin: createHash('sha256').update(spki).digest('base64url'),
  };
}
