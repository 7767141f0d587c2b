import type { Command as CommanderCommand } from 'commander';
import type { Command } from './command.ts';

/** The list of commands shows names; what each takes stands on its own page, with the global options. */
export function configureHelp(root: CommanderCommand): void {
  root.configureHelp({ showGlobalOptions: true, subcommandTerm: (command) => command.name() });
}

export function formatProgramHelp(): string {
  return `
Exit codes:
  0 done · 1 the thing asked for failed · 2 usage · 3 not found · 4 timed out · 69 broker or workers unavailable

Run \`tq COMMAND --help\` for what a command takes, with examples.`;
}

export function formatCommandHelp({ details, examples, json }: Command): string {
  const sections = [
    details === undefined ? [] : [details],
    ['Examples:', ...examples.flatMap(({ command, does }) => [`  # ${does}`, `  $ ${command}`])],
    json.length === 0 ? [] : [`--json prints the fields ${json.join(', ')}.`],
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => `\n${lines.join('\n')}`)
    .join('\n');
}
