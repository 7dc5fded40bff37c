/** A configuration profile with which an iPhone takes a certificate authority. */
import { createHash } from 'node:crypto';

/** `certificatePem`: of the authority. The text of a `.mobileconfig`. */
export function profileFor(host: string, certificatePem: string): string {
  const der = certificatePem.replace(/-----[^-]+-----|\s/g, '');
  const name = `Remote signer at ${host}`;
  const certificate = [
    entry('PayloadType', 'com.apple.security.root'),
    entry('PayloadVersion', 1),
    entry('PayloadIdentifier', `vmux-signer.${host}.authority`),
    entry('PayloadUUID', uuidOf(`authority ${der}`)),
    entry('PayloadDisplayName', name),
    entry('PayloadDescription', `Certifies ${host}, and no other host.`),
    entry('PayloadCertificateFileName', 'authority.cer'),
    `<key>PayloadContent</key>\n<data>${der}</data>`,
  ];
  const profile = [
    entry('PayloadType', 'Configuration'),
    entry('PayloadVersion', 1),
    entry('PayloadIdentifier', `vmux-signer.${host}`),
    entry('PayloadUUID', uuidOf(`profile ${der}`)),
    entry('PayloadDisplayName', name),
    entry('PayloadOrganization', 'vmux signer'),
    entry(
      'PayloadDescription',
      `Lets this phone open the signer's page at https://${host}. It can certify that one host and no other. Compare its SHA-256 with the terminal before you trust it.`,
    ),
    `<key>PayloadContent</key>\n<array>\n<dict>\n${certificate.join('\n')}\n</dict>\n</array>`,
  ];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    `<plist version="1.0">\n<dict>\n${profile.join('\n')}\n</dict>\n</plist>\n`,
  ].join('\n');
}

export const PROFILE_TYPE = 'application/x-apple-aspen-config';

const entry = (key: string, value: string | number) =>
  `<key>${key}</key>\n` +
  (typeof value === 'number'
    ? `<integer>${value}</integer>`
    : `<string>${escaped(value)}</string>`);

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The same for the same: a profile that is installed again replaces the one before. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ]
    .join('-')
    .toUpperCase();
}
