import { type Duration, parseDuration } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import type { WorkflowGraph } from '../core/workflow/graph.ts';

/**
 * Thrown by a task to end this attempt and to ask for another one, whatever its error policy says.
 * `context().retry()` builds it.
 */
export class Retry extends Error {
  override readonly name = 'Retry';
  /** Milliseconds until the next attempt; the task's backoff without it. */
  readonly countdownMs: number | undefined;
  readonly max: number | undefined;

  constructor(
    message = 'the task asked to be retried',
    options: { countdown?: Duration; max?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.countdownMs =
      options.countdown === undefined ? undefined : parseDuration(options.countdown, 'countdown of retry()');
    this.max = options.max === undefined ? undefined : parseMax(options.max);
  }
}

/** NaN would be a number of retries that is never reached. */
function parseMax(max: number): number {
  if (Number.isInteger(max) && max >= 0) return max;
  throw createError('INVALID_OPTION', {
    what: 'max of retry()',
    expected: 'a whole number from 0',
    given: formatGiven(max),
  });
}

/** Thrown by `context().replace()`: the value of the job is to be that of this workflow. */
export class Replaced extends Error {
  override readonly name = 'Replaced';
  readonly graph: WorkflowGraph;

  constructor(graph: WorkflowGraph) {
    super('the task replaced itself by a workflow');
    this.graph = graph;
  }
}

/** Thrown by a task to end its job without a result and without a dead letter: state IGNORED. */
export class Ignore extends Error {
  override readonly name = 'Ignore';

  constructor(reason = 'the task ignored the job') {
    super(reason);
  }
}

/** Thrown by a task to make its job a dead letter at once: a retry cannot help. */
export class Reject extends Error {
  override readonly name = 'Reject';

  constructor(reason: string, options?: { cause?: unknown }) {
    super(reason, options);
  }
}
