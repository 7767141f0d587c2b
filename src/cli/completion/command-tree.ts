import type { CommandIndex } from '../command.ts';
import { type Completion, globalOptions, type OptionDefinition, parseFlags } from '../options.ts';

/** All commands as the completion scripts need them. */
export interface CommandTree {
  readonly globals: readonly CompletedOption[];
  readonly groups: readonly { readonly name: string; readonly summary: string }[];
  readonly commands: readonly CompletedCommand[];
}

export interface CompletedCommand {
  /** The words after `tq`. */
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  readonly arguments: readonly CompletedValue[];
}

export interface CompletedOption {
  readonly short: string | undefined;
  readonly long: string;
  readonly summary: string;
  /** Undefined for a switch. */
  readonly value: CompletedValue | undefined;
}

export interface CompletedValue {
  /** What `tq __complete` lists, or files; undefined when nothing can be offered. */
  readonly source: Completion | undefined;
  readonly choices: readonly string[];
  /** Several values with commas between them. */
  readonly joined: boolean;
}

const HELP: CompletedOption = { short: '-h', long: '--help', summary: 'show help', value: undefined };

/** Loads every command. */
export async function loadCommandTree({ commands: entries, groups }: CommandIndex): Promise<CommandTree> {
  const shown = entries.filter(({ hidden }) => hidden !== true);
  const commands = await Promise.all(
    shown.map(async ({ name, summary, load }): Promise<CompletedCommand> => {
      const command = await load();
      return {
        name,
        summary,
        options: (command.options ?? []).map(toCompletedOption),
        arguments: (command.arguments ?? []).map(({ completion, choices = [] }) => ({
          source: completion,
          choices,
          joined: false,
        })),
      };
    }),
  );
  return { globals: [...globalOptions.map(toCompletedOption), HELP], groups, commands };
}

/** The words that can follow these ones, with what they do. */
export function listNextWords(tree: CommandTree, path: string): { word: string; summary: string }[] {
  const depth = path === '' ? 0 : path.split(' ').length;
  return [...tree.groups, ...tree.commands]
    .filter(({ name }) => name.split(' ').length === depth + 1 && (depth === 0 || name.startsWith(`${path} `)))
    .map(({ name, summary }) => ({ word: name.split(' ')[depth] as string, summary }));
}

function toCompletedOption({ flags, summary, completion, choices = [], many }: OptionDefinition): CompletedOption {
  const { short, long, takesValue } = parseFlags(flags);
  const value = takesValue ? { source: completion, choices, joined: many === 'split' } : undefined;
  return { short, long, summary, value };
}
