/**
 * Removes dead letters that are older than the app wants to keep, or more than it does, queue by queue. One worker of those that serve
 * a queue does it for all (leased-chore.ts), the oldest first, in batches with pauses between them.
 *
 * Left alone are steps of a workflow that has not ended: its parent would be let go without them, and nobody could retry the step. They
 * count among those that are kept, so a queue may hold more than `maxCount` for as long as their workflows run.
 */
import type { Logger } from 'pino';
import type { Broker, BrokerQueue } from '../../broker/port.ts';
import { WorkflowStore } from '../../canvas/workflow-store.ts';
import type { Clock } from '../../core/clock.ts';
import { decodeEnvelope } from '../../core/envelope.ts';
import type { JobSummary } from '../../core/job.ts';
import type { JobRecord } from '../../core/job-record.ts';
import { type ChoreTurn, LeasedChore } from '../leased-chore.ts';

/** Their records are read whole, so there are fewer of them at a time than a page may hold. */
const BATCH = 100;

export interface DeadLetterLimits {
  /** Those that ended longer ago go; none do without it. */
  readonly maxAgeMs: number | undefined;
  /** Of a queue, more than these go, the oldest first; none do without it. */
  readonly maxCount: number | undefined;
}

export interface DeadLetterRetentionOptions extends DeadLetterLimits {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly worker: string;
  /** The queues that the worker serves now. */
  readonly listQueues: () => readonly string[];
  /** How often it looks. Default once a minute. */
  readonly everyMs?: number | undefined;
}

export function createDeadLetterRetention(options: DeadLetterRetentionOptions): LeasedChore {
  const { broker, listQueues } = options;
  return new LeasedChore({
    ...options,
    state: broker.state,
    complaint: 'old dead letters could not be removed; it is tried again',
    async act(turn) {
      for (const queue of listQueues()) await removeOld(broker.queue(queue), options, turn);
    },
  });
}

async function removeOld(queue: BrokerQueue, options: DeadLetterRetentionOptions, turn: ChoreTurn): Promise<void> {
  const key = `dead-letters/retention/${queue.name}`;
  if (!(await turn.holds(key))) return;
  const workflows = new WorkflowStore(options.broker.state);
  let removed = 0;
  for await (const ids of listOver(queue, options)) {
    // A scan that goes on while another worker removes would remove too many of what `maxCount` keeps.
    if (!(await turn.holds(key))) break;
    const free = await leaveRunning(await queue.bulk.readRecords(ids), options.broker, workflows);
    removed += (await queue.bulk.remove(free, ['dead'])).length;
    await turn.pause();
  }
  if (removed === 0) return;
  const { maxAgeMs, maxCount, logger } = options;
  const limits = { max_age_ms: maxAgeMs ?? null, max_count: maxCount ?? null };
  logger.info(
    { queue: queue.name, removed, ...limits },
    'old dead letters were removed, as deadLetters of the app says',
  );
}

/** Those that are too old or too many, the oldest first. A job that ends meanwhile stands behind them. */
async function* listOver(
  queue: BrokerQueue,
  { maxAgeMs, maxCount, clock }: DeadLetterRetentionOptions,
): AsyncGenerator<string[]> {
  const over = maxCount === undefined ? 0 : (await queue.counts()).dead - maxCount;
  const before = maxAgeMs === undefined ? Number.NEGATIVE_INFINITY : clock.now() - maxAgeMs;
  const isOver = ({ finishedAt }: JobSummary, place: number): boolean =>
    place < over || (finishedAt !== null && finishedAt < before);
  let seen = 0;
  for await (const page of queue.bulk.scanSummaries({ places: ['dead'], from: 'first', pageSize: BATCH })) {
    const from = seen;
    const ids = page.filter((job, index) => isOver(job, from + index)).map(({ id }) => id);
    seen += page.length;
    if (ids.length > 0) yield ids;
    if (ids.length < page.length) return;
  }
}

interface Waiter {
  readonly queue: string;
  readonly id: string;
}

/** @returns the ids of those that are nothing to any job that has not ended */
async function leaveRunning(records: readonly JobRecord[], broker: Broker, store: WorkflowStore): Promise<string[]> {
  const waiters = await Promise.all(records.map((record) => listWaiters(record, store)));
  const asked = new Map<string, Set<string>>();
  for (const { queue, id } of waiters.flat()) asked.set(queue, (asked.get(queue) ?? new Set()).add(id));
  const running = new Set<string>();
  for (const [queue, ids] of asked) {
    for (const { id, phase } of await broker.queue(queue).listBriefs([...ids])) {
      if (phase !== 'finished') running.add(`${queue} ${id}`);
    }
  }
  return records.flatMap(({ id, children }, index) => {
    const isWaitedFor = waiters[index]?.some((waiter) => running.has(`${waiter.queue} ${waiter.id}`));
    return isWaitedFor || children.some(({ end }) => end === 'pending') ? [] : [id];
  });
}

/** The job that waits for this one, and the one that stands for its workflow. */
async function listWaiters({ parent, data }: JobRecord, store: WorkflowStore): Promise<Waiter[]> {
  const waiters: Waiter[] = parent === null ? [] : [parent];
  const workflow = readWorkflow(data);
  const head = workflow === undefined ? undefined : (await store.open(workflow))?.head;
  if (head === undefined || head.queue === null) return waiters;
  return [...waiters, { queue: head.queue, id: head.job ?? head.graph }];
}

/** The workflow that the job is a step of. Data may be anything, also no JSON. */
function readWorkflow(data: string): string | undefined {
  try {
    return decodeEnvelope(JSON.parse(data)).meta.workflow?.id;
  } catch {
    return undefined;
  }
}
