import { WRITTEN_BY_US, type BackgroundProgram } from './background-program.ts';

/**
 * A unit of the person's own systemd (systemd.service(5)). Its restrictions are those that a user's
 * systemd can apply without namespaces of its own.
 */
export function systemdUnit({ words, environment }: BackgroundProgram): string {
  const [node = '', ...rest] = words;
  const variables = Object.entries(environment).map(
    ([name, value]) => `Environment=${quoted(`${name}=${value}`)}\n`,
  );
  // Of a command line, all but the program's own path has its $VARIABLES replaced.
  const line = [quoted(node), ...rest.map((word) => quoted(word.replaceAll('$', '$$$$')))];
  return `# ${WRITTEN_BY_US}.
[Unit]
Description=SSH agent whose signatures are approved on the phone
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
ExecStart=${line.join(' ')}
${variables.join('')}Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2
UMask=0077
LimitCORE=0
NoNewPrivileges=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native

[Install]
WantedBy=default.target
`;
}

/** systemd.syntax(7), with its % specifiers spelled out. */
function quoted(word: string): string {
  const escaped = word.replace(/["\\]/g, '\\$&').replaceAll('%', '%%');
  return `"${escaped}"`;
}
