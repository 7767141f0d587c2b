import { countOf } from '../counted.ts';
import { formatDuration } from '../duration.ts';
import { formatInstant } from '../instant.ts';
import { longestRecoveryMs } from '../lock-timing.ts';
import { formatProgress } from '../progress.ts';
import { listServing, type WhyFacts, type WorkerFacts } from './job-facts.ts';
import { type Reason, reason } from './reason.ts';

/** What becomes of a job that a worker has taken: it runs, waits for a slot, or its worker is silent or gone. */
export function explainRunning(facts: WhyFacts): Reason[] {
  const { job, workers } = facts;
  const running = workers.find((worker) => worker.running.some((each) => isJob(each, job)));
  if (running !== undefined) return explainRun(facts, running);
  const reserving = workers.find((worker) => worker.queues.includes(job.queue) && worker.reserved.includes(job.id));
  if (reserving !== undefined) {
    const message = `${reserving.name} has taken it and waits for a slot; ${countOf(reserving.running.length, 'job')} of ${reserving.slots} run there`;
    return [reason('RESERVED', message, { next: `\`tq inspect active -d ${reserving.name}\` shows what runs` })];
  }
  return explainUnclaimed(facts);
}

function isJob(running: { readonly id: string; readonly queue: string }, job: WhyFacts['job']): boolean {
  return running.id === job.id && running.queue === job.queue;
}

function explainRun({ job, now }: WhyFacts, worker: WorkerFacts): Reason[] {
  const ranMs = worker.running.find((each) => isJob(each, job))?.runningMs ?? Math.max(0, now - (job.startedAt ?? now));
  const progress = formatProgress(job.progress);
  const revoked = job.revoked === undefined ? '' : '; it is revoked and will not be retried';
  const running = reason(
    'RUNNING',
    `attempt ${job.attempts} has run for ${formatDuration(ranMs)} on ${worker.name}${progress === undefined ? '' : `, at ${progress}`}${revoked}`,
    {
      next:
        job.revoked === undefined
          ? `\`tq control revoke ${job.id}\` aborts it`
          : `\`tq control revoke ${job.id} --terminate\` ends its process`,
    },
  );
  const limitMs = job.meta.timeLimitMs ?? worker.tasks?.get(job.task)?.timeLimitMs ?? null;
  if (limitMs === null || ranMs <= limitMs) return [running];
  const message = `it runs past its time limit of ${formatDuration(limitMs)}: its worker could not end it`;
  const next = `look at ${worker.name}: with the pool async, what does not heed its signal goes on; the pool prefork can end it`;
  return [reason('TIME_LIMIT_PASSED', message, { next }), running];
}

/** No live worker says that it has the job. */
function explainUnclaimed(facts: WhyFacts): Reason[] {
  const { job, standing, silent, now } = facts;
  const { lockLeftMs } = standing;
  const lockEndsAt = lockLeftMs === null ? null : now + lockLeftMs;
  if (job.worker !== null && silent.includes(job.worker)) {
    const message = `${job.worker} has it since ${since(job)} and does not answer: its event loop is blocked, or it hangs`;
    const next = `look at the process of ${job.worker}; when it is ended, another worker takes the job up once its lock has run out`;
    return [reason('WORKER_SILENT', message, { next, until: lockEndsAt })];
  }
  const serving = listServing(facts);
  if (lockLeftMs !== null && serving.length === 0 && standing.queue.consumers > 0) {
    const who = job.worker === null ? 'a worker that is no worker of tq' : job.worker;
    return [
      reason(
        'RUNNING',
        `${who} has it since ${since(job)}, and holds its lock; ${countOf(standing.queue.consumers, 'BullMQ worker')} serve the queue`,
      ),
    ];
  }
  return [explainLoss(facts, serving, lockEndsAt)];
}

function explainLoss(
  { job, standing, now }: WhyFacts,
  serving: readonly WorkerFacts[],
  lockEndsAt: number | null,
): Reason {
  const who = job.worker === null ? 'the worker that took it' : job.worker;
  const lock = lockEndsAt === null ? 'its lock has run out' : `its lock runs out at ${formatInstant(lockEndsAt)}`;
  const gone = `${who} is gone: no live worker claims the job, and ${lock}`;
  if (serving.length === 0) {
    const { consumers } = standing.queue;
    const message =
      consumers > 0
        ? `${gone}; a BullMQ worker of the queue takes it up when it looks for stalled jobs`
        : `${gone}; no worker serves queue "${job.queue}", so nobody takes it up`;
    const next = consumers > 0 ? null : `start a worker for it: \`tq worker -Q ${job.queue}\``;
    return reason('WORKER_GONE', message, { next, until: consumers > 0 ? lockEndsAt : null });
  }
  const lockDurationMs = Math.max(...serving.map((worker) => worker.lockDurationMs));
  const until = now + longestRecoveryMs(standing.lockLeftMs, lockDurationMs);
  return reason('WORKER_GONE', `${gone}; another worker runs it again at ${formatInstant(until)} at the latest`, {
    until,
    next: 'wait, nothing is lost; a shorter `--lock-duration` of the workers makes the wait shorter',
  });
}

function since({ startedAt }: WhyFacts['job']): string {
  return startedAt === null ? 'an unknown time' : formatInstant(startedAt);
}
