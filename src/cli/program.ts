import { Argument, Command as CommanderCommand, CommanderError, Option } from 'commander';
import type { Command, CommandEntry, CommandGroup, Values } from './command.ts';
import { commandGroups, commandIndex } from './command-index.ts';
import { configureHelp, formatCommandHelp, formatProgramHelp } from './help.ts';
import { globalOptions, type OptionDefinition } from './options.ts';

/** What the arguments ask for. */
export type Request =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'run';
      readonly command: Command;
      /** The global options that were given, by their long names in camelCase. */
      readonly flags: Readonly<Record<string, unknown>>;
      readonly values: Omit<Values, 'timeoutMs'>;
    };

/**
 * Reads the arguments. Only the command that they name is loaded; help lists the others from the index.
 *
 * @param argv without the program itself
 * @throws UNKNOWN_COMMAND, UNKNOWN_OPTION, USAGE
 */
export async function parseCommandLine(argv: readonly string[]): Promise<Request> {
  let command: Command | undefined;
  try {
    const root = createRoot(() => undefined);
    const { operands } = root.parseOptions([...argv]);
    if (root.opts().version === true) return { kind: 'version' };
    if (operands[0] === 'help') return await parseCommandLine([...operands.slice(1), '--help']);
    const entry = await findEntry(operands, argv.includes('--help') || argv.includes('-h'));
    command = await entry?.load();
    return parse(argv, entry, command);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw (await import('./usage.ts')).toUsageError(error, command);
  }
}

/** The command that the words name; undefined when they name none, or a group whose help is asked for. */
async function findEntry([first, second]: readonly string[], helpAsked: boolean): Promise<CommandEntry | undefined> {
  if (first === undefined) return undefined;
  const group = commandGroups.find(({ name }) => name === first);
  if (group !== undefined && second === undefined && helpAsked) return undefined;
  const wanted = group === undefined ? first : `${first} ${second ?? ''}`.trim();
  const entry = commandIndex.find(({ name }) => name === wanted);
  if (entry === undefined) throw (await import('./usage.ts')).unknownCommand(wanted, group);
  return entry;
}

function parse(argv: readonly string[], entry: CommandEntry | undefined, command: Command | undefined): Request {
  let text = '';
  let request: Request | undefined;
  const root = createRoot((part) => {
    text += part;
  });
  const commander = addCommands(root, entry);
  if (command !== undefined && commander !== undefined) {
    declare(commander, command);
    commander.action(() => {
      const values = { arguments: commander.processedArgs.flat() as (string | undefined)[], options: commander.opts() };
      request = { kind: 'run', command, flags: root.opts(), values };
    });
  }
  try {
    root.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError && error.code === 'commander.helpDisplayed')) throw error;
  }
  return request ?? { kind: 'text', text };
}

/** Text goes to `write`, faults are thrown: commander itself neither prints nor exits. */
function createRoot(write: (text: string) => void): CommanderCommand {
  const root = new CommanderCommand('tq')
    .description('Celery for Node: run background tasks, and operate their queues from the terminal')
    .usage('[options] <command>')
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: () => undefined })
    .helpCommand(false)
    .helpOption('-h, --help', 'show help; of a command, with its examples')
    .option('-V, --version', 'print the version')
    .addHelpText('after', formatProgramHelp())
    .action(() => root.outputHelp());
  configureHelp(root);
  for (const { choices: _, ...option } of globalOptions) {
    // What a global option may be is checked with the environment and the config file, all of them at once.
    root.addOption(createOption({ ...option, summary: `${option.summary} (${option.variable})` }));
  }
  return root;
}

/**
 * Every command as help lists it.
 *
 * @returns the one of the entry
 */
function addCommands(root: CommanderCommand, entry: CommandEntry | undefined): CommanderCommand | undefined {
  const parents = new Map<string, CommanderCommand>();
  let found: CommanderCommand | undefined;
  for (const each of commandIndex) {
    const [word = '', inGroup] = each.name.split(' ');
    const group = commandGroups.find(({ name }) => name === word);
    if (group !== undefined && !parents.has(word)) parents.set(word, addGroup(root, group));
    const child = (parents.get(word) ?? root).command(inGroup ?? word, { hidden: each.hidden === true });
    child.description(each.summary);
    if (group === undefined) child.helpGroup(`${each.heading}:`);
    if (each === entry) found = child;
  }
  return found;
}

function addGroup(root: CommanderCommand, { name, summary, heading }: CommandGroup): CommanderCommand {
  return root.command(name).description(summary).helpGroup(`${heading}:`).helpCommand(false);
}

function declare(commander: CommanderCommand, command: Command): void {
  for (const { name, summary, choices } of command.arguments ?? []) {
    const argument = new Argument(name, summary);
    commander.addArgument(choices === undefined ? argument : argument.choices(choices));
  }
  for (const option of command.options ?? []) commander.addOption(createOption(option));
  commander.addHelpText('after', formatCommandHelp(command));
}

function createOption({ flags, summary, choices, many }: OptionDefinition): Option {
  const option = new Option(flags, summary);
  if (choices !== undefined) option.choices(choices);
  if (many !== undefined) {
    option.argParser<string[]>((text, list = []) => [
      ...list,
      ...(many === 'split' ? text.split(',').map((name) => name.trim()) : [text]),
    ]);
  }
  return option;
}
