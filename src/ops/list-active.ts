import { strictObject } from 'valibot';
import type { ActiveStoredJob, Broker } from '../engine/broker/port.ts';
import type { HeldJobs } from '../engine/control/replies.ts';
import { isRecord } from '../engine/core/envelope.ts';
import { longestRecoveryMs } from '../engine/core/lock-timing.ts';
import { defineOperation } from './operation.ts';
import { addressedInput, askWorkers, formatAddressed, type WorkerReplies } from './worker-replies.ts';

export interface ActiveJobs extends WorkerReplies {
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

export const listActive = defineOperation({
  name: 'list-active',
  effect: 'read',
  summary: 'List the jobs that the live workers run, and those that no live worker claims',
  input: strictObject(addressedInput),
  async run(session, addressed): Promise<ActiveJobs> {
    const broker = await session.broker();
    const isWhole = addressed.destinations === undefined;
    // Before the workers are asked: what they take later would seem to be claimed by nobody.
    const stored = isWhole ? await listStored(broker) : [];
    const replies = await askWorkers(session, 'held', addressed);
    const held = readHeld(replies);
    const answers = new Map(
      [...replies.answers].map(([name, answer]) => {
        const jobs = held.get(name);
        return [name, jobs === undefined ? answer : { ok: true as const, value: jobs.active }];
      }),
    );
    const orphaned = isWhole ? await findOrphans(broker, stored, { held, now: session.clock.now() }) : null;
    return { ...replies, answers, orphaned };
  },
  commandLine: (addressed) => ['inspect', 'active', ...formatAddressed(addressed)],
});

async function listStored(broker: Broker): Promise<ActiveStoredJob[]> {
  const queues = await broker.listQueues();
  const lists = await Promise.all(queues.map((queue) => broker.queue(queue).listActive(0, MAX_PER_QUEUE)));
  return lists.flat();
}

/** What the workers hold, of those that said it. */
function readHeld({ answers }: WorkerReplies): Map<string, HeldJobs> {
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
