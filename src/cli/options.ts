/** What the shell completion offers for a value. */
export type Completion = 'tasks' | 'queues' | 'workers' | 'ids' | 'entries' | 'files';

export interface OptionDefinition {
  /** As commander reads them: `-Q, --queues <names>`; without `<…>` it is a switch. */
  readonly flags: string;
  readonly summary: string;
  readonly choices?: readonly string[];
  readonly completion?: Completion;
  /** May be given several times: `split` also takes several values with commas between them, `whole` does not. */
  readonly many?: 'split' | 'whole';
  /** The value `-` stands for what comes on stdin. */
  readonly stdin?: boolean;
  /** It is a setting too, under its long name: it reaches loadSettings as a flag. */
  readonly isSetting?: boolean;
}

export interface GlobalOption extends OptionDefinition {
  /** The environment variable that does the same. */
  readonly variable: string;
}

/** Accepted before and after every command. What they mean is decided by engine/config, where `schema.ts` knows them too. */
export const globalOptions: readonly GlobalOption[] = [
  {
    flags: '-A, --app <file>',
    variable: 'TQ_APP',
    summary: 'module that exports the app',
    completion: 'files',
  },
  {
    flags: '-b, --broker <url>',
    variable: 'TQ_BROKER_URL',
    summary: 'store that jobs live in, default sqlite:.tq/tq.db',
  },
  { flags: '--profile <name>', variable: 'TQ_PROFILE', summary: 'profile that names the broker (tq profile)' },
  { flags: '--json', variable: 'TQ_JSON', summary: 'print one JSON document' },
  { flags: '-q, --quiet', variable: 'TQ_QUIET', summary: 'print no notes, only results and errors' },
  { flags: '--no-color', variable: 'TQ_NO_COLOR', summary: 'print no colours' },
  {
    flags: '-l, --log-level <level>',
    variable: 'TQ_LOG_LEVEL',
    summary: 'least level that is logged',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
  },
  { flags: '--timeout <duration>', variable: 'TQ_TIMEOUT', summary: 'how long to wait for workers and results' },
  { flags: '--yes', variable: 'TQ_YES', summary: 'do not ask before something is changed' },
  { flags: '--dry-run', variable: 'TQ_DRY_RUN', summary: 'show what would be changed, and change nothing' },
  { flags: '--write', variable: 'TQ_WRITE', summary: 'change something in a protected profile' },
  {
    flags: '--confirm <name>',
    variable: 'TQ_CONFIRM',
    summary: 'name that a protected profile has typed before it removes many jobs',
  },
];

/** Options that several commands have: spelled and worded once. */
export const sharedOptions = {
  queues: {
    flags: '-Q, --queues <names>',
    summary: 'queues, with commas between them',
    completion: 'queues',
    many: 'split',
  },
  queue: {
    flags: '-Q, --queue <name>',
    summary: 'the queue that holds the job (default: every queue is searched)',
    completion: 'queues',
  },
  destination: {
    flags: '-d, --destination <names>',
    summary: 'workers to ask, with commas between them (default: all live ones)',
    completion: 'workers',
    many: 'split',
  },
  where: {
    flags: '--where <query>',
    summary: "only those that a query takes: 'type:failed task:email.*' (docs/queries.md)",
  },
  results: {
    flags: '--results <url>',
    summary: 'store that results are kept in beside the broker: postgres:// or sqlite:',
    isSetting: true,
  },
  noUndo: { flags: '--no-undo', summary: 'keep nothing: what is done cannot be undone' },
  wait: { flags: '--wait', summary: 'wait until the job has ended, at most --timeout' },
} as const satisfies Record<string, OptionDefinition>;

export interface ParsedFlags {
  readonly short: string | undefined;
  readonly long: string;
  readonly takesValue: boolean;
}

/** The parts of an option's flags. */
export function parseFlags(flags: string): ParsedFlags {
  const words = flags.split(/[ ,]+/);
  return {
    short: words.find((word) => /^-[^-]/.test(word)),
    long: words.find((word) => word.startsWith('--')) ?? '',
    takesValue: /[<[]/.test(flags),
  };
}
