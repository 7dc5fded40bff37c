import type { Resolved } from './ssh-config.ts';

/**
 * The variables that the server is asked to set (RFC 4254 §6.4): those of `env` that a `SendEnv`
 * pattern names, then `SetEnv`. Servers take few of them (`AcceptEnv`) and refuse in silence.
 */
export function environmentFor(
  { sendEnv, setEnv }: Pick<Resolved, 'sendEnv' | 'setEnv'>,
  env: NodeJS.ProcessEnv,
): Record<string, string> {
  const patterns = sendEnv.map(wildcards);
  const sent = Object.entries(env).filter(([name]) => patterns.some((p) => p.test(name)));
  return { ...Object.fromEntries(sent), ...setEnv } as Record<string, string>;
}

/** `*` and `?` as in ssh_config(5), PATTERNS. */
function wildcards(pattern: string): RegExp {
  const literal = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}
