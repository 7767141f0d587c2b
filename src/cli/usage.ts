import type { CommanderError } from 'commander';
import { createError, type TqError } from '../engine/core/errors.ts';
import { nearestNames } from '../engine/core/nearest.ts';
import type { Command, CommandGroup } from './command.ts';
import { commandGroups, commandIndex } from './command-index.ts';
import { globalOptions, parseFlags } from './options.ts';

/** The names that follow `tq`, or a group, for a word that is none of them. */
export function unknownCommand(given: string, group: CommandGroup | undefined): TqError {
  const shown = commandIndex.filter(({ hidden }) => hidden !== true).map(({ name }) => name);
  if (group === undefined) {
    return createError('UNKNOWN_COMMAND', {
      command: given,
      near: nearestNames(given, [...shown, ...commandGroups.map(({ name }) => name)]),
    });
  }
  const members = shown.filter((name) => name.startsWith(`${group.name} `));
  if (given !== group.name)
    return createError('UNKNOWN_COMMAND', { command: given, near: nearestNames(given, members) });
  return createError('USAGE', {
    message: `\`tq ${group.name}\` needs one more word`,
    next: `run one of ${members.map((name) => `\`tq ${name}\``).join(', ')}`,
  });
}

/** What commander found wrong, in the words of the catalogue. */
export function toUsageError(error: CommanderError, command: Command | undefined): TqError {
  const name = command === undefined ? 'tq' : `tq ${command.name}`;
  const fault = error.message.replace(/^error: /, '');
  if (error.code === 'commander.unknownOption') {
    const option = /'([^']*)'/.exec(fault)?.[1] ?? fault;
    const known = listFlags(command);
    return createError('UNKNOWN_OPTION', { what: `\`${name}\``, option, near: nearestNames(option, known), known });
  }
  return createError('USAGE', {
    message: `${command === undefined ? '' : `\`${name}\`: `}${fault.replace(/\.$/, '')}`,
    next: `run \`${name} --help\` for what it takes`,
  });
}

function listFlags(command: Command | undefined): string[] {
  return [...(command?.options ?? []), ...globalOptions].map(({ flags }) => parseFlags(flags).long);
}
