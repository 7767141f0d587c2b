import { type GenericSchema, getDotPath, type InferOutput, safeParse } from 'valibot';
import { createError } from '../engine/core/errors.ts';
import { createRunId } from '../engine/core/run-id.ts';
import { type Operation, type Plan, type Progress, READING, type Run } from './operation.ts';
import type { Session } from './session.ts';
import type { UndoKeeper } from './undo-keeper.ts';

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
  /** Asks a running operation to stop. */
  readonly signal?: AbortSignal;
  /** Keeps what operations remove and change. */
  readonly createKeeper?: (id: string) => UndoKeeper;
  /** Refuses what changes something. A dry run only looks and is let through. */
  readonly readOnly?: boolean;
}

/** What came of it: the plan of a dry run, or the result. */
export type Execution<Result> =
  | { readonly kind: 'planned'; readonly plan: Plan }
  | { readonly kind: 'done'; readonly result: Result };

/**
 * The one way to run an operation, whichever face asks for it:
 *
 * 1. the input is checked, every problem is named at once;
 * 2. a read runs; a read-only session refuses everything else;
 * 3. the operation says what it would change: a dry run ends here;
 * 4. above 0 jobs a person is asked, unless `yes`;
 * 5. it runs. Jobs may have come and gone since the plan: the result says what was done, the plan only what was seen.
 *
 * @throws USAGE for a wrong input, READ_ONLY, NEEDS_CONFIRMATION, NOT_CONFIRMED, and what the operation throws
 */
export async function execute<Schema extends GenericSchema, Result>(
  operation: Operation<Schema, Result>,
  input: unknown,
  options: GateOptions,
): Promise<Execution<Result>> {
  const checked = parseInput(operation, input);
  if (operation.effect === 'read') {
    return { kind: 'done', result: await operation.run(options.session, checked, createRun(options, null)) };
  }
  if (options.readOnly === true && options.dryRun !== true)
    throw createError('READ_ONLY', { operation: operation.name });
  const plan = await operation.plan(options.session, checked);
  options.onPlan?.(plan);
  if (options.dryRun === true) return { kind: 'planned', plan };
  if (plan.count > 0 && options.yes !== true) await assertConfirmed(operation.name, plan, options);
  return {
    kind: 'done',
    result: await operation.run(options.session, checked, createRun(options, plan.count === 0 ? null : plan.count)),
  };
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

function createRun({ session, onProgress, signal, createKeeper }: GateOptions, total: number | null): Run {
  const id = createRunId(session.clock.now());
  return {
    id,
    progress: (done) => onProgress?.({ done, total }),
    signal: signal ?? READING.signal,
    keeper: createKeeper?.(id),
  };
}

async function assertConfirmed(operation: string, plan: Plan, { confirm }: GateOptions): Promise<void> {
  if (confirm === undefined) throw createError('NEEDS_CONFIRMATION', { operation, count: plan.count });
  if (!(await confirm(plan))) throw createError('NOT_CONFIRMED', { operation });
}
