import { type GenericSchema, getDotPath, type InferOutput, safeParse } from 'valibot';
import { createError } from '../engine/core/errors.ts';
import { createRunId } from '../engine/core/run-id.ts';
import { formatCommandLine } from './command-text.ts';
import { type Operation, type Plan, type Progress, READING, type Run } from './operation.ts';
import { type Auditor, openRunRecord, type RunAbout } from './run-record.ts';
import type { Session } from './session.ts';
import type { ClosableKeeper } from './undo-keeper.ts';

export interface GateOptions {
  readonly session: Session;
  /** Only look: the plan is the outcome, nothing is changed. */
  readonly dryRun?: boolean;
  /** Go on without asking. */
  readonly yes?: boolean;
  /** Asks a person; absent where nobody can be asked. */
  readonly confirm?: (plan: Plan) => Promise<boolean>;
  /** Sees the plan before anything is asked or done. */
  readonly onPlan?: (plan: Plan) => void;
  readonly onProgress?: (progress: Progress) => void;
  /** Asks a running operation to stop. Read when the operation reads it. */
  readonly signal?: AbortSignal;
  /** Keeps what operations remove and change. */
  readonly createKeeper?: (about: RunAbout) => ClosableKeeper;
  /** Writes runs that change something into the audit; nothing is written without it. */
  readonly auditor?: Auditor;
  /** Is told what went wrong beside the operation. */
  readonly warn?: (text: string) => void;
  /** Is told how far an operation came that then failed. */
  readonly onBroken?: (reached: Reached) => void;
  /** Refuses what changes something. A dry run only looks and is let through. */
  readonly readOnly?: boolean;
  /** The profile that named the broker, when it is a protected one. */
  readonly protectedProfile?: ProtectedProfile;
}

export interface ProtectedProfile {
  readonly name: string;
  /** A name that stands for the typed one. */
  readonly confirmed?: string | undefined;
  /** Has a person type a name; absent where nobody can be asked. */
  readonly askName?: (name: string, plan: Plan) => Promise<boolean>;
}

/** How far a run came that did not do all it was asked for. */
export interface Reached {
  /** Jobs that were done; null when it counts none. */
  readonly done: number | null;
  readonly total: number | null;
  /** What was done can be undone under this id. */
  readonly undo: string | null;
}

/** More jobs than this are removed from a protected profile only when a name is typed. */
const MAX_UNNAMED = 100;

/** What came of it: the plan of a dry run, or the result. */
export type Execution<Result> =
  | { readonly kind: 'planned'; readonly plan: Plan }
  | {
      readonly kind: 'done';
      readonly result: Result;
      /** It was asked to stop, and did before it was done. */
      readonly stopped?: Reached;
    };

/**
 * The one way to run an operation, whichever face asks for it:
 *
 * 1. the input is checked, every problem is named at once;
 * 2. a read runs; a read-only session refuses everything else;
 * 3. the operation says what it would change: a dry run ends here;
 * 4. above 0 jobs a person is asked, unless `yes`; above 100 of a protected profile a name must be typed, or given, in any case;
 * 5. it runs, between two writes to the audit. Jobs may have come and gone since the plan: the result says what was done, the plan
 *    only what was seen.
 *
 * @throws USAGE for a wrong input, READ_ONLY, NEEDS_CONFIRMATION, NOT_CONFIRMED, NAME_NOT_CONFIRMED, and what the operation throws
 */
export async function execute<Schema extends GenericSchema, Result>(
  operation: Operation<Schema, Result>,
  input: unknown,
  options: GateOptions,
): Promise<Execution<Result>> {
  const checked = parseInput(operation, input);
  if (operation.effect === 'read') {
    const run: Run = { ...READING, progress: (done) => options.onProgress?.({ done, total: null }) };
    return { kind: 'done', result: await operation.run(options.session, checked, run) };
  }
  if (options.readOnly === true && options.dryRun !== true) {
    throw createError('READ_ONLY', { operation: operation.name, profile: options.protectedProfile?.name });
  }
  const plan = await operation.plan(options.session, checked);
  options.onPlan?.(plan);
  if (options.dryRun === true) return { kind: 'planned', plan };
  if (operation.effect === 'destructive' && plan.count > MAX_UNNAMED && options.protectedProfile !== undefined) {
    await assertNamed(operation.name, plan, options.protectedProfile);
  } else if (plan.count > 0 && options.yes !== true) {
    await assertConfirmed(operation.name, plan, options);
  }
  return await runRecorded(operation, checked, plan, options);
}

/** Runs an operation that changes something, and writes down that it did. */
async function runRecorded<Schema extends GenericSchema, Result>(
  operation: Exclude<Operation<Schema, Result>, { effect: 'read' }>,
  input: InferOutput<Schema>,
  { count }: Plan,
  options: GateOptions,
): Promise<Execution<Result>> {
  const { session, createKeeper, auditor, onProgress, onBroken, warn = () => {} } = options;
  const at = session.clock.now();
  const command = formatCommandLine(operation.commandLine(input));
  const about: RunAbout = { id: createRunId(at), operation: operation.name, command, at, planned: count };
  const record =
    auditor === undefined || operation.isAudited === false
      ? undefined
      : await openRunRecord(session, about, { auditor, warn, isLate: operation.isAudited === 'late' });
  const keeper = createKeeper?.(about);
  const total = count === 0 ? null : count;
  let done: number | null = null;
  let signal: AbortSignal | undefined;
  const run: Run = {
    id: about.id,
    progress(reached) {
      done = reached;
      onProgress?.({ done: reached, total });
    },
    get signal() {
      signal ??= options.signal ?? READING.signal;
      return signal;
    },
    keeper,
  };
  const reach = (): Reached => ({ done, total, undo: keeper?.undo ?? null });
  try {
    const result = await operation.run(session, input, run);
    const isStopped = signal?.aborted === true && (done === null || total === null || done < total);
    await record?.end({ end: isStopped ? 'stopped' : 'done', changed: done, bundle: (await keeper?.close()) ?? null });
    return { kind: 'done', result, ...(isStopped && { stopped: reach() }) };
  } catch (error) {
    const bundle = (await keeper?.close()) ?? null;
    if (done !== null || bundle !== null) onBroken?.(reach());
    await record?.end({ end: 'failed', changed: done, error, bundle });
    throw error;
  }
}

function parseInput<Schema extends GenericSchema, Result>(
  operation: Operation<Schema, Result>,
  input: unknown,
): InferOutput<Schema> {
  const parsed = safeParse(operation.input, withoutUndefined(input));
  if (parsed.success) return parsed.output;
  const problems = parsed.issues.map((issue) => `${getDotPath(issue) ?? 'input'}: ${issue.message}`);
  throw createError('USAGE', {
    message: `${operation.name} was asked for with a wrong input: ${problems.join('; ')}`,
    next: 'correct the input; nothing was done',
  });
}

function withoutUndefined(input: unknown): unknown {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input;
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
}

async function assertConfirmed(operation: string, plan: Plan, { confirm }: GateOptions): Promise<void> {
  if (confirm === undefined)
    throw createError('NEEDS_CONFIRMATION', { operation, count: plan.count, things: plan.things });
  if (!(await confirm(plan))) throw createError('NOT_CONFIRMED', { operation });
}

/** Scripts give the name too: a protected profile is one that `--yes` alone must not empty. */
async function assertNamed(
  operation: string,
  plan: Plan,
  { name: profile, confirmed, askName }: ProtectedProfile,
): Promise<void> {
  const queues = new Set(plan.rows.flatMap(({ queue }) => (typeof queue === 'string' ? [queue] : [])));
  const [queue] = queues;
  const name = queues.size === 1 && queue !== undefined ? queue : profile;
  const isNamed = confirmed === undefined ? await askName?.(name, plan) : confirmed === name;
  if (isNamed !== true) throw createError('NAME_NOT_CONFIRMED', { operation, count: plan.count, name });
}
