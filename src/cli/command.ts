import type { GenericSchema } from 'valibot';
import type { Settings } from '../engine/config/settings.ts';
import type { InputOf, Operation } from '../ops/operation.ts';
import type { CliHost } from './host.ts';
import type { Completion, OptionDefinition } from './options.ts';
import type { Output } from './output.ts';
import type { Presentation } from './presentation.ts';
import type { CliSession } from './session.ts';

export interface ArgumentDefinition {
  /** `<id>` must be given, `[shell]` may be; `<queues...>`, the last one, takes all that follow. */
  readonly name: `<${string}>` | `[${string}]`;
  readonly summary: string;
  readonly choices?: readonly string[];
  readonly completion?: Completion;
  /** The value `-` stands for the lines that come on stdin, or for a file with all that comes there, which may be larger than memory. */
  readonly stdin?: boolean | 'file';
}

export interface Example {
  /** As it is typed, `tq` first. */
  readonly command: string;
  readonly does: string;
}

/** What every command says about itself: help, completion and documentation are made of it. */
interface Declaration {
  /** The words after `tq`: `purge`, `inspect queues`. */
  readonly name: string;
  /** In the imperative, without a full stop. */
  readonly summary: string;
  /** More for its help page: what it does not do, what its exit codes mean. */
  readonly details?: string;
  readonly arguments?: readonly ArgumentDefinition[];
  /** Its own and those of `sharedOptions`; the global ones are always there. */
  readonly options?: readonly OptionDefinition[];
  /** From the harmless to the dangerous. */
  readonly examples: readonly Example[];
  /** The fields of its `--json` document, or of the objects in its list. */
  readonly json: readonly string[];
}

/** What was typed, sorted by commander and not yet understood. */
export interface Values<Options = Readonly<Record<string, unknown>>> {
  /** In the order of the declaration, all of the last one if it takes many; undefined where an optional one was left out. */
  readonly arguments: readonly (string | undefined)[];
  /** By their long names in camelCase. */
  readonly options: Options;
  /** The global `--timeout`. */
  readonly timeoutMs: number | undefined;
  /** Where all that came on stdin lies until the command is done, if an argument asked for that. */
  readonly stdinFile?: string;
}

/** What a running command gets. */
export interface CommandContext {
  readonly settings: Settings;
  readonly session: CliSession;
  readonly output: Output;
  readonly host: CliHost;
}

/** What a command gets that runs without settings. */
export interface StandaloneContext {
  readonly index: CommandIndex;
  readonly host: CliHost;
  /** The global options that were given, unchecked. */
  readonly flags: Readonly<Record<string, unknown>>;
}

/** What a command chooses its operation by, when it is one that looks and one that acts, with the same input and result. */
export interface Asked<Options = Readonly<Record<string, unknown>>> {
  readonly input: unknown;
  readonly options: Options;
}

/** A command that asks the gate for one operation. */
interface OperationCommand<Schema extends GenericSchema, Result, Options> extends Declaration {
  readonly kind: 'operation';
  /** Loaded when the command runs; not given what was asked, the one that it runs when it is given nothing. */
  readonly operation: (asked?: Asked<Options>) => Promise<Operation<Schema, Result>>;
  /**
   * Pure: finds every usage fault, and says what was given and what would be right.
   *
   * @throws USAGE, INVALID_OPTION
   */
  readonly toInput: (values: Values<Options>) => InputOf<Operation<Schema, Result>>;
  /** The URL of the broker that it is run on, where that is part of what was asked for; that of the settings without it. */
  readonly brokerOf?: (input: InputOf<Operation<Schema, Result>>) => string | undefined;
  /** @param options those that were typed, for what changes the look alone */
  readonly present: (result: Result, options: Options) => Presentation;
  /** The command is a stream instead when its options say so. */
  readonly stream?: StreamMode<Options>;
}

/** A command that is no operation on the broker: it serves until it is stopped, as `worker` does. */
interface ServiceCommand<Input, Options> extends Declaration {
  readonly kind: 'service';
  /** Its own options are settings too, under their long names: they reach loadSettings as flags. */
  readonly optionsAreSettings?: boolean;
  /** It changes what its broker holds: a protected profile asks for `--write`. */
  readonly changesBroker?: boolean;
  /** It reads the broker and adds nothing to it: a SQLite file that is not there is not made. */
  readonly onlyLooks?: boolean;
  readonly toInput: (values: Values<Options>) => Input;
  /** @returns the exit code */
  readonly serve: (input: Input, context: CommandContext) => Promise<number>;
}

/**
 * A command that tells one thing after the other until Ctrl-C, the end of its reader or its own: then it has done what was
 * asked for, and the exit code is 0. It goes on no faster than its output is read.
 */
interface StreamCommand<Input, Item, Options> extends Declaration {
  readonly kind: 'stream';
  readonly toInput: (values: Values<Options>) => Input;
  /** @param signal ends the stream, which is then over without an error */
  readonly listen: (input: Input, context: CommandContext, signal: AbortSignal) => AsyncIterable<Item>;
  /** One line, in a pipe and on a terminal; `json` is one of NDJSON. */
  readonly present: (item: Item) => Pick<Presentation, 'json' | 'blocks'>;
}

/** What makes a stream of a command: the parts of a `StreamCommand` that go together. */
interface StreamMode<Options> {
  readonly isWanted: (options: Options) => boolean;
  readonly toInput: (values: Values<Options>) => unknown;
  readonly listen: (input: never, context: CommandContext, signal: AbortSignal) => AsyncIterable<unknown>;
  readonly present: (item: never) => Pick<Presentation, 'json' | 'blocks'>;
}

/** A command that needs neither settings nor broker, so that it works where they are broken. */
interface StandaloneCommand<Input, Options> extends Declaration {
  readonly kind: 'standalone';
  readonly toInput: (values: Values<Options>) => Input;
  readonly answer: (input: Input, context: StandaloneContext) => Promise<Presentation>;
}

/** Any command, as the program holds it. */
export type Command =
  | OperationCommand<GenericSchema, unknown, never>
  | ServiceCommand<unknown, never>
  | StreamCommand<unknown, unknown, never>
  | StandaloneCommand<unknown, never>;

/** What the list of commands shows, and how to get the rest. Nothing of a command is loaded before it is asked for. */
export interface CommandEntry {
  /** The words after `tq`. */
  readonly name: string;
  readonly summary: string;
  readonly heading: Heading;
  /** Left out of help and completion. */
  readonly hidden?: boolean;
  readonly load: () => Promise<Command>;
}

type Heading = 'Run' | 'Look' | 'Act' | 'Set up';

/** A word that only leads to commands. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly heading: Heading;
}

export interface CommandIndex {
  readonly commands: readonly CommandEntry[];
  readonly groups: readonly CommandGroup[];
}

/**
 * Declares a command that runs an operation. `toInput` says the type of its options:
 * `toInput({ options }: Values<{ queues?: string[] }>) { … }`.
 */
export function defineCommand<Schema extends GenericSchema, Result, Options = Record<never, never>>(
  command: Omit<OperationCommand<Schema, Result, Options>, 'kind'>,
): Command {
  return { kind: 'operation', ...command } as unknown as Command;
}

export function defineService<Input, Options = Record<never, never>>(
  command: Omit<ServiceCommand<Input, Options>, 'kind'>,
): Command {
  return { kind: 'service', ...command } as unknown as Command;
}

export function defineStream<Input, Item, Options = Record<never, never>>(
  command: Omit<StreamCommand<Input, Item, Options>, 'kind'>,
): Command {
  return { kind: 'stream', ...command } as unknown as Command;
}

export function defineStandalone<Input, Options = Record<never, never>>(
  command: Omit<StandaloneCommand<Input, Options>, 'kind'>,
): Command {
  return { kind: 'standalone', ...command } as unknown as Command;
}
