import { countOf, nameSome } from '../counted.ts';
import { formatDuration } from '../duration.ts';
import { formatInstant } from '../instant.ts';
import { readFiring } from '../schedule/firing.ts';
import { listServing, type WhyFacts } from './job-facts.ts';
import { nameError, type Reason, reason } from './reason.ts';

/** What a scheduled job waits for: its time, its next attempt, or what holds it back. */
export function explainTime(facts: WhyFacts): Reason[] {
  const { job, held, now, putBackBy } = facts;
  if (held !== null) return explainHold(facts, held);
  const { dueAt } = job;
  const until = dueAt !== null && dueAt > now ? dueAt : null;
  const when = dueAt === null ? 'when it is due is not known' : `due at ${formatInstant(dueAt)}`;
  const overdue =
    dueAt !== null && dueAt <= now
      ? [
          reason(
            'OVERDUE',
            `it was due ${formatDuration(now - dueAt)} ago; a worker of the queue makes it ready when it looks for its next job`,
          ),
        ]
      : [];
  if (putBackBy.length > 0) {
    const message = `no worker that took it registers task "${job.task}": it was put back by ${nameSome([...new Set(putBackBy)])}, and is tried again, ${when}`;
    const next = 'start a worker with the module that has this task; after the last try it becomes a dead letter';
    return [...overdue, reason('TASK_NOT_REGISTERED', message, { until, next })];
  }
  if (overdue.length > 0) return overdue;
  const firing = job.state === 'RETRY' ? undefined : explainFiring(facts, until);
  if (firing !== undefined) return [firing];
  if (job.state !== 'RETRY') {
    const message = `it waits for its time: ${when}${dueAt === null ? '' : `, in ${formatDuration(dueAt - now)}`}`;
    return [reason('SCHEDULED', message, { until })];
  }
  return [
    reason('RETRY_DUE', `${describeFailure(job)}; attempt ${job.attempts + 1} is ${when}`, {
      until,
      next: `\`tq jobs show ${job.id}\` has the stacks of its attempts`,
    }),
  ];
}

/** Clocks of machines differ by less, and a firing that comes back from its jitter is a moment late. */
const SLACK_MS = 5000;

/** A firing is stored until it is due; its worker holds it then for as long as the jitter of its entry says. */
function explainFiring({ job, now }: WhyFacts, until: number | null): Reason | undefined {
  const firing = readFiring(job);
  if (firing === undefined || until === null) return undefined;
  const { entry, dueAt } = firing;
  const { jitterMs = 0 } = job.meta.schedule ?? {};
  const wait = `at ${formatInstant(until)}, in ${formatDuration(until - now)}`;
  if (until > dueAt && until <= dueAt + jitterMs + SLACK_MS) {
    const rule = `entry "${entry}" starts a firing up to ${formatDuration(jitterMs)} after it was due`;
    const next = `wait; \`tq jobs promote ${job.id}\` starts it now`;
    const message = `the jitter of its entry holds it back: it was due at ${formatInstant(dueAt)} and starts ${wait}; ${rule}`;
    return reason('JITTER', message, { until, next });
  }
  return until === dueAt
    ? reason('SCHEDULED', `it waits for its time: the next firing of entry "${entry}" is due ${wait}`, { until })
    : undefined;
}

/** A job that waits for another attempt, scheduled or back in its queue. */
export function describeFailure({ attempts, error }: WhyFacts['job']): string {
  const failed = attempts === 0 ? 'it has failed' : `attempt ${attempts} failed`;
  return error === null ? failed : `${failed} with ${nameError(error)}`;
}

function explainHold(facts: WhyFacts, { by, holders }: NonNullable<WhyFacts['held']>): Reason[] {
  const { job, now, taskPausedSince } = facts;
  const task = listServing(facts).flatMap((worker) => worker.tasks?.get(job.task) ?? [])[0];
  if (by === 'rate') {
    const rate = task?.rateLimit == null ? '' : ` of ${task.rateLimit}`;
    const until = job.dueAt !== null && job.dueAt > now ? job.dueAt : null;
    const message = `the rate limit${rate} of task "${job.task}" holds it back${until === null ? '' : ` until ${formatInstant(until)}`}`;
    return [
      reason('TASK_RATE_LIMITED', message, {
        until,
        next: `\`tq control rate-limit ${job.task} RATE\` changes the rate of live workers`,
      }),
    ];
  }
  if (by === 'concurrency') {
    const limit = task?.concurrency == null ? '' : ` of ${task.concurrency}`;
    const names = holders.map(({ id, worker }) => `${id} on ${worker}`);
    const full =
      holders.length === 0
        ? ''
        : `; ${countOf(holders.length, 'job')} ${holders.length === 1 ? 'has its place' : 'have its places'}: ${nameSome(names)}`;
    const message = `the concurrency limit${limit} of task "${job.task}", or of a key of it, holds it back${full}`;
    return [reason('TASK_CONCURRENCY_FULL', message, { next: 'it is the next of its line when one of them ends' })];
  }
  // The pause itself is said with what else stands in the way of a waiting job.
  return taskPausedSince === null
    ? [reason('READY', 'its task was paused and is resumed; the job is about to be let go')]
    : [];
}
