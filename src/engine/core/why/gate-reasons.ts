import { countOf, nameSome } from '../counted.ts';
import { formatDuration } from '../duration.ts';
import { formatInstant } from '../instant.ts';
import { STANDING_COUNTED } from '../job-standing.ts';
import { nearestNames } from '../nearest.ts';
import { isOwnTask } from '../own-tasks.ts';
import { listServing, type WhyFacts, type WorkerFacts } from './job-facts.ts';
import { type Reason, reason } from './reason.ts';

/** What stops every job of the queue or the task, also those that are not due yet. */
export function explainStops(facts: WhyFacts): Reason[] {
  return [
    ...explainWorkflow(facts),
    ...explainQueuePause(facts),
    ...explainWorkers(facts),
    ...explainTaskPause(facts),
    ...explainRegistration(facts),
  ];
}

/** What a job waits for that could run now, beside the stops. */
export function explainTurn(facts: WhyFacts): Reason[] {
  return [...explainQueueLimits(facts), ...explainReadiness(facts), ...explainSlots(facts), ...explainPlace(facts)];
}

function explainWorkflow({ workflow, job }: WhyFacts): Reason[] {
  if (workflow === null || workflow.state !== 'REVOKED' || workflow.id === job.id) return [];
  const message = `the workflow ${workflow.id} that it is a step of was revoked`;
  return [
    reason('WORKFLOW_CANCELLED', message, {
      next: `\`tq control revoke ${workflow.id}\` again revokes what is left of it`,
    }),
  ];
}

function explainQueuePause({ job, standing }: WhyFacts): Reason[] {
  if (!standing.queue.paused) return [];
  const message = `queue "${job.queue}" is paused: no worker takes jobs of it`;
  return [reason('QUEUE_PAUSED', message, { next: `\`tq queue resume ${job.queue}\`` })];
}

function explainWorkers(facts: WhyFacts): Reason[] {
  const { job, standing, workers, silent } = facts;
  const serving = listServing(facts);
  const { consumers } = standing.queue;
  if (serving.length > 0) return [];
  const next = `start a worker for it: \`tq worker -Q ${job.queue}\``;
  if (silent.length > 0 && consumers > 0) {
    const message = `the workers that are connected to queue "${job.queue}" do not say that they take its jobs; no answer from ${nameSome(silent)}`;
    return [
      reason('WORKER_SILENT', message, {
        next: 'look at the processes of those: their event loop is blocked, or they hang',
      }),
    ];
  }
  if (consumers > 0) return [];
  const others =
    workers.length === 0
      ? 'no worker is live'
      : `the live workers serve others: ${nameSome(workers.map(({ name, queues }) => `${name} serves ${queues.join(',') || 'none'}`))}`;
  return [reason('NO_WORKER', `no worker is connected to queue "${job.queue}"; ${others}`, { next })];
}

function explainTaskPause({ job, taskPausedSince }: WhyFacts): Reason[] {
  if (taskPausedSince === null) return [];
  const message = `task "${job.task}" is paused since ${formatInstant(taskPausedSince)}, in all queues`;
  return [reason('TASK_PAUSED', message, { next: `\`tq task resume ${job.task}\`` })];
}

/** A worker of plain BullMQ takes jobs of any name, so this is known of queues that workers of tq serve alone. */
function explainRegistration(facts: WhyFacts): Reason[] {
  const { job, workers, putBackBy } = facts;
  const serving = listServing(facts);
  if (putBackBy.length > 0 || serving.length === 0 || serving.some((worker) => knows(worker, job.task) !== false))
    return [];
  const names = serving.map(({ name }) => name);
  const near = nearestNames(job.task, new Set(serving.flatMap(({ tasks }) => [...(tasks?.keys() ?? [])])));
  const elsewhere = workers.filter((worker) => knows(worker, job.task) === true).map(({ name }) => name);
  const hint = near.length === 0 ? '' : `; near it they have ${near.join(', ')}`;
  const found = elsewhere.length === 0 ? '' : `; ${nameSome(elsewhere)} does, and does not serve the queue`;
  const message = `no live worker of queue "${job.queue}" registers task "${job.task}" (asked: ${nameSome(names)})${hint}${found}`;
  const next =
    elsewhere.length === 0
      ? 'start a worker with the module that has this task'
      : `\`tq control add-consumer ${job.queue} -d ${elsewhere[0]}\``;
  return [reason('TASK_NOT_REGISTERED', message, { next })];
}

/** Undefined when it did not say; of tasks of tq's own it does not. */
function knows({ tasks }: WorkerFacts, task: string): boolean | undefined {
  return isOwnTask(task) ? undefined : tasks?.has(task);
}

function explainQueueLimits({ job, standing, now }: WhyFacts): Reason[] {
  const { limitedForMs, windowMs, concurrency, active } = standing.queue;
  const reasons: Reason[] = [];
  if (limitedForMs > 0) {
    const until = now + limitedForMs;
    const message = `the rate limit of queue "${job.queue}" is used up until ${formatInstant(until)}; it is one of BullMQ's own`;
    reasons.push(
      reason('QUEUE_RATE_LIMITED', message, { until, next: 'wait, or raise it where the application sets it' }),
    );
  } else if (windowMs > 0) {
    const until = now + windowMs;
    const message = `a BullMQ worker of queue "${job.queue}" has a rate limit of its own, whose window ends at ${formatInstant(until)}; it may be used up`;
    reasons.push(reason('QUEUE_RATE_LIMITED', message, { until, next: 'wait, or raise the `limiter` of that worker' }));
  }
  if (concurrency !== null && active >= concurrency) {
    const message = `queue "${job.queue}" may have ${concurrency} active at once by BullMQ's global concurrency, and has ${active}`;
    reasons.push(
      reason('QUEUE_CONCURRENCY_FULL', message, {
        next: `\`tq inspect active\` shows which; the application may raise it`,
      }),
    );
  }
  return reasons;
}

function explainReadiness(facts: WhyFacts): Reason[] {
  return listServing(facts)
    .filter(({ problems }) => problems.length > 0)
    .map(({ name, problems }) =>
      reason('WORKER_NOT_READY', `${name} serves the queue and is not ready: ${problems.join('; ')}`, {
        next: `look at the log of ${name}`,
      }),
    );
}

function explainSlots(facts: WhyFacts): Reason[] {
  const serving = listServing(facts);
  if (serving.length === 0 || serving.some(({ running, slots }) => running.length < slots)) return [];
  const slots = serving.reduce((sum, worker) => sum + worker.slots, 0);
  const [longest] = serving
    .flatMap(({ name, running }) => running.map((job) => ({ ...job, worker: name })))
    .sort((a, b) => b.runningMs - a.runningMs);
  const what =
    longest === undefined
      ? ''
      : `; ${longest.id} (${longest.task}) runs longest, for ${formatDuration(longest.runningMs)} on ${longest.worker}`;
  const message = `all ${countOf(slots, 'slot')} of ${nameSome(serving.map(({ name }) => name))} are busy${what}`;
  return [
    reason('SLOTS_BUSY', message, {
      next: '`tq control pool-grow N` gives live workers more slots; `tq inspect active` shows what runs',
    }),
  ];
}

function explainPlace({ job, standing }: WhyFacts): Reason[] {
  const { before } = standing;
  if (before === null || before === 0) return [];
  const count = before >= STANDING_COUNTED ? `at least ${STANDING_COUNTED}` : String(before);
  const message = `${count} ${before === 1 ? 'job of' : 'jobs of'} queue "${job.queue}" ${before === 1 ? 'comes' : 'come'} before it`;
  return [reason('JOBS_BEFORE', message, { next: '`tq inspect queues` shows the queue as a whole' })];
}
