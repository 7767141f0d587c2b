import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { MAP_TASK, STARMAP_TASK } from '../core/workflow/hidden-tasks.ts';
import {
  createStep,
  type NoInput,
  noteSender,
  Signature,
  type SignatureSender,
  type StepSignature,
} from './signature.ts';

/** What a task gives to workflows. */
export interface TaskSignatures<Args extends readonly unknown[], Result> {
  /**
   * A call not yet made. With all arguments it begins a workflow; with all but the first it takes what the step before it gives:
   * `add.s(1, 2)`, or `add.s(2)` after a number.
   *
   * @throws NOT_JSON for arguments that JSON cannot carry
   */
  readonly s: Sign<Args, Result>;
  /**
   * One that takes nothing of the step before it.
   *
   * @throws NOT_JSON
   */
  si(...args: Args): StepSignature<unknown, Result>;
  /** The task over a list of items, each its only argument, one after another in one job. It takes nothing of a step before it. */
  map(items: readonly Args[0][]): StepSignature<unknown, Result[]>;
  /** As `map`, each item the list of all arguments. */
  starmap(items: readonly Args[]): StepSignature<unknown, Result[]>;
  /**
   * A group of `starmap`, each over so many items, the last over what is left.
   *
   * @throws INVALID_OPTION for a size that is no whole number from 1
   */
  chunks(items: readonly Args[], size: number): Signature<unknown, Result[][]>;
}

/** A task whose arguments are all needed has two forms; one with optional arguments is read call by call. */
type Sign<Args extends readonly unknown[], Result> = number extends Args['length']
  ? OpenSign<Args, Result>
  : IsUnion<Args['length']> extends true
    ? OpenSign<Args, Result>
    : FixedSign<Args, Result>;

interface FixedSign<Args extends readonly unknown[], Result> {
  (...args: Args): StepSignature<NoInput, Result>;
  (...args: WithoutFirst<Args>): StepSignature<Args[0], Result>;
}

type OpenSign<Args extends readonly unknown[], Result> = <Given extends Args | WithoutFirst<Args>>(
  ...args: Given
) => StepSignature<OpenInput<Args, Given>, Result>;

/** What is given may be all arguments, or all but the first, or either. */
type OpenInput<Args extends readonly unknown[], Given extends readonly unknown[]> =
  | (Given extends Args ? NoInput : never)
  | (Given extends WithoutFirst<Args> ? Args[0] : never);

type WithoutFirst<Args extends readonly unknown[]> = Args extends readonly [_?: unknown, ...rest: infer Rest]
  ? Rest
  : Args;

type IsUnion<Value, All = Value> = Value extends Value ? ([All] extends [Value] ? false : true) : never;

export function createTaskSignatures<Args extends readonly unknown[], Result>(
  sender: SignatureSender,
  task: string,
): TaskSignatures<Args, Result> {
  noteSender(sender);
  const over = (mapping: string, items: readonly unknown[]): StepSignature<unknown, Result[]> => {
    if (!Array.isArray(items)) {
      const what = `the items of task "${task}"`;
      throw createError('INVALID_OPTION', { what, expected: 'a list', given: formatGiven(items) });
    }
    return createStep<unknown, Result[]>(sender, { task: mapping, args: [task, items], immutable: true });
  };
  return {
    s: ((...args: unknown[]) => createStep(sender, { task, args })) as unknown as Sign<Args, Result>,
    si: (...args) => createStep<unknown, Result>(sender, { task, args, immutable: true }),
    map: (items) => over(MAP_TASK, items),
    starmap: (items) => over(STARMAP_TASK, items),
    chunks: (items, size) => {
      if (!Number.isInteger(size) || size < 1) {
        const what = `the size of the chunks of task "${task}"`;
        throw createError('INVALID_OPTION', { what, expected: 'a whole number from 1', given: formatGiven(size) });
      }
      const members = Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
        over(STARMAP_TASK, items.slice(index * size, (index + 1) * size)),
      );
      return new Signature({ kind: 'group', members: members.map(({ content }) => content) }, sender);
    },
  };
}
