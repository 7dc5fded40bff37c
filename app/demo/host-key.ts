import { generateKeyPairSync } from 'node:crypto';

/**
 * A new host key for an ssh2 server: P-256, as SEC 1 PEM. By Node: of the Ed25519 keys that ssh2
 * 1.17 makes itself, it cannot read about one in 150 ("Malformed OpenSSH private key").
 */
export function newHostKey(): string {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
  });
  return privateKey;
}
