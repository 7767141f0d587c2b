import { UnrecoverableError } from 'bullmq';

/** What the text of a refusal names. */
export interface RefusalFacts {
  /** What BullMQ calls the operation. */
  readonly command: string;
  readonly jobId?: string | undefined;
  readonly parentKey?: string | undefined;
  /** The state that the job should have been in. */
  readonly state?: string;
}

interface Refusal {
  /** BullMQ's ErrorCode. */
  readonly code: number;
  readonly text: (facts: RefusalFacts) => string;
}

/**
 * BullMQ tells callers why an operation was refused by a numeric code, and its own classes and those of its users compare
 * code and text. BullMQ does not export its table, so what its backends answer is written down here.
 */
const REFUSALS = {
  missingJob: { code: -1, text: ({ jobId }) => `Missing key for job ${jobId}` },
  missingLock: { code: -2, text: ({ jobId }) => `Missing lock for job ${jobId}` },
  notInState: { code: -3, text: ({ jobId, state }) => `Job ${jobId} is not in the ${state} state` },
  pendingChildren: { code: -4, text: ({ jobId }) => `Job ${jobId} has pending dependencies` },
  missingParent: { code: -5, text: ({ parentKey }) => `Missing key for parent job ${parentKey}` },
  parentCannotBeReplaced: { code: -7, text: ({ parentKey }) => `The parent job ${parentKey} cannot be replaced` },
  belongsToScheduler: {
    code: -8,
    text: ({ jobId }) => `Job ${jobId} belongs to a job scheduler and cannot be removed directly`,
  },
  schedulerIdCollision: { code: -10, text: () => 'Cannot create job scheduler iteration - job ID already exists' },
  schedulerSlotsBusy: {
    code: -11,
    text: () => 'Cannot create job scheduler iteration - current and next time slots already have jobs',
  },
} as const satisfies Record<string, Refusal>;

export type RefusalReason = keyof typeof REFUSALS;

const refusals = new WeakSet<object>();

/** Marks an error as an operation's answer: it was decided before anything was changed. */
export function asRefusal<Kind extends Error>(error: Kind): Kind {
  refusals.add(error);
  return error;
}

/** The same error without the mark: thrown in the middle of an operation, it undoes what the operation has changed. */
export function asFailure(error: unknown): unknown {
  if (!isRefusal(error)) return error;
  const { message, code } = error as Error & { code?: unknown };
  return Object.assign(new Error(message, { cause: error }), { code });
}

export function isRefusal(error: unknown): boolean {
  return typeof error === 'object' && error !== null && refusals.has(error);
}

/** BullMQ's code of a refusal, for the operations that answer with it. */
export function refusalCode(reason: RefusalReason): number {
  return REFUSALS[reason].code;
}

export function refusal(reason: RefusalReason, facts: RefusalFacts): Error {
  const { code, text } = REFUSALS[reason] as Refusal;
  return asRefusal(Object.assign(new Error(`${text(facts)}. ${facts.command}`), { code }));
}

/** The job's lock is another worker's. */
export function lockMismatch({ jobId, command, state }: RefusalFacts): Error {
  return asRefusal(
    Object.assign(new Error(`Lock mismatch for job ${jobId}. Cmd ${command} from ${state}`), { code: -6 }),
  );
}

/** A job with a child that failed for good cannot be completed; BullMQ does not retry it. */
export function failedChildren({ jobId, command }: RefusalFacts): Error {
  const text = `Cannot complete job ${jobId} because it has at least one failed child. ${command}`;
  return asRefusal(Object.assign(new UnrecoverableError(text), { code: -9 }));
}
