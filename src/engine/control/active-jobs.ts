/**
 * The jobs that run now: what the live workers say that they run, and what is active on the broker and claimed by none of
 * them. The broker is read first, then the workers are asked, then each job that nobody claims is read again: so a job that
 * ends, or is taken, meanwhile is in neither list by mistake.
 */
import type { ControlAnswers } from '../broker/control-port.ts';
import type { ActiveStoredJob, Broker } from '../broker/port.ts';
import { isRecord } from '../core/envelope.ts';
import { longestRecoveryMs } from '../core/lock-timing.ts';
import { type Addressed, askLiveWorkers } from './ask-live-workers.ts';
import type { HeldJobs } from './replies.ts';

/** The answers are lists of `ActiveJob`. */
export interface ActiveJobs extends ControlAnswers {
  /** Null when only some workers were asked: the others may hold what these do not. */
  readonly orphaned: readonly OrphanedJob[] | null;
}

/** A job that is active in the broker, and that no live worker claims. */
export interface OrphanedJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly attempt: number;
  /** The one that took it; it is dead, or silent. */
  readonly worker: string | null;
  readonly startedAt: number | null;
  /** When a worker takes it up again at the latest, epoch ms; null when no live worker serves its queue. */
  readonly recoverAt: number | null;
}

/** Active jobs that are read of each queue; a fleet runs fewer at once. */
const MAX_PER_QUEUE = 10_000;

/**
 * @param now epoch ms of the asker's clock, which `recoverAt` is counted from
 * @throws BROKER_UNAVAILABLE
 */
export async function listActiveJobs(broker: Broker, addressed: Addressed, now: () => number): Promise<ActiveJobs> {
  const isWhole = addressed.destinations === undefined;
  // Before the workers are asked: what they take later would seem to be claimed by nobody.
  const stored = isWhole ? await listStored(broker) : [];
  const replies = await askLiveWorkers(broker.control, { command: 'held', args: null }, addressed);
  const held = readHeld(replies);
  const answers = new Map(
    [...replies.answers].map(([name, answer]) => {
      const jobs = held.get(name);
      return [name, jobs === undefined ? answer : { ok: true as const, value: jobs.active }];
    }),
  );
  const orphaned = isWhole ? await findOrphans(broker, stored, { held, now: now() }) : null;
  return { ...replies, answers, orphaned };
}

async function listStored(broker: Broker): Promise<ActiveStoredJob[]> {
  const queues = await broker.listQueues();
  const lists = await Promise.all(queues.map((queue) => broker.queue(queue).listActive(0, MAX_PER_QUEUE)));
  return lists.flat();
}

/** What the workers hold, of those that said it. */
function readHeld({ answers }: ControlAnswers): Map<string, HeldJobs> {
  const held = new Map<string, HeldJobs>();
  for (const [name, answer] of answers) if (answer.ok && isHeld(answer.value)) held.set(name, answer.value);
  return held;
}

function isHeld(value: unknown): value is HeldJobs {
  return isRecord(value) && [value['active'], value['reserved'], value['queues']].every(Array.isArray);
}

async function findOrphans(
  broker: Broker,
  stored: readonly ActiveStoredJob[],
  { held, now }: { readonly held: ReadonlyMap<string, HeldJobs>; readonly now: number },
): Promise<OrphanedJob[]> {
  const claimed = new Set([...held.values()].flatMap(({ active, reserved }) => [...reserved, ...active.map(toId)]));
  const unclaimed = stored.filter((job) => !claimed.has(job.id) && !isForeign(job));
  const still = await Promise.all(unclaimed.map((job) => isStillActive(broker, job)));
  return unclaimed
    .filter((_, index) => still[index])
    .map((job) => {
      const { id, task, queue, attempts, worker, startedAt } = job;
      return { id, task, queue, attempt: attempts, worker, startedAt, recoverAt: findRecovery(job, held, now) };
    });
}

function toId({ id }: { readonly id: string }): string {
  return id;
}

/** A worker of tq leaves its name in a job. What another application of BullMQ runs is its own as long as it is locked. */
function isForeign({ worker, lockLeftMs }: ActiveStoredJob): boolean {
  return worker === null && lockLeftMs !== null;
}

/** Its worker may have ended it before it answered, or have taken it a second time after that. */
async function isStillActive(broker: Broker, { id, queue, startedAt }: ActiveStoredJob): Promise<boolean> {
  const job = await broker.queue(queue).readJob(id);
  return job?.state === 'STARTED' && job.startedAt === startedAt;
}

/** Of several workers that serve a queue, the one with the longest lock duration says how long the others may keep from looking. */
function findRecovery(
  { queue, lockLeftMs }: ActiveStoredJob,
  held: ReadonlyMap<string, HeldJobs>,
  now: number,
): number | null {
  const servers = [...held.values()].filter(({ queues }) => queues.includes(queue));
  if (servers.length === 0) return null;
  return now + longestRecoveryMs(lockLeftMs, Math.max(...servers.map(({ lockDurationMs }) => lockDurationMs)));
}
