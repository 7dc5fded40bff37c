import type { Command } from '../../command-line.ts';
import { logCommand } from '../../log-command.ts';

export const command: Command = logCommand('vmux');
