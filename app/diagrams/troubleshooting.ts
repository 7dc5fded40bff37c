/** The pages that are made of `machines/failures.ts`: docs/troubleshooting.md and the README's table. */
import { failures, type FailureReason } from '../../machines/failures.ts';

/** The rows of the product page's troubleshooting table, and where more than one reason is behind it. */
const pageRows: [problem: string, reasons: FailureReason[]][] = [
  ['“No iPhone signer found.” at once', ['peerNotFound', 'noPhonePaired', 'phoneForgotHeadset']],
  ['“No iPhone signer found.” after ten seconds', ['noIdentity', 'peerUnreachable']],
  ['the sheet never appears', ['notPresented']],
  ['the sheet appeared, nobody answered', ['notApproved']],
  ['the phone went to sleep', ['linkLost']],
  ['“Permission denied (publickey)”', ['permissionDenied']],
  ['you denied', ['denied']],
];

const begin = '<!-- troubleshooting: npm run diagrams -->';
const end = '<!-- end of troubleshooting -->';

const cell = (text: string) => text.replaceAll('|', '\\|');

/** `readme` with the rows of the product page between its two markers. */
export function withTroubleshooting(readme: string): string {
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from < 0 || to < from) return readme;
  const rows = pageRows.flatMap(([problem, reasons]) =>
    reasons.map((reason, i) => `| ${i === 0 ? problem : ''} | ${cell(failures[reason].hint)} |`),
  );
  const table = ['| what you see | what it means, and what to do |', '| --- | --- |', ...rows];
  return `${readme.slice(0, from)}${begin}\n\n${table.join('\n')}\n\n${readme.slice(to)}`;
}

/** Every failure that a person can meet, in the order of the table it comes from. */
export function troubleshootingPage(): string {
  const rows = Object.entries(failures).map(
    ([reason, { message, hint }]) => `| \`${reason}\` | ${cell(message)} | ${cell(hint)} |`,
  );
  return [
    '# Everything that can go wrong, and what to do',
    '',
    'Made from `machines/failures.ts` by `npm run diagrams`. The reason is what the event log says (`vmux log`, `signer log`); message and hint are what you read.',
    '',
    '| reason | message | hint |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
