import { setTimeout as wait } from 'node:timers/promises';
import {
  array,
  exactOptional,
  integer,
  minLength,
  minValue,
  nonEmpty,
  number,
  pipe,
  strictObject,
  string,
} from 'valibot';
import { maskUrl } from '../engine/broker/broker-url.ts';
import { openBroker } from '../engine/broker/open-broker.ts';
import type { Broker } from '../engine/broker/port.ts';
import { assertQueueName } from '../engine/broker/queue-name.ts';
import { REVOKED } from '../engine/control/revoked-index.ts';
import { createError, messageOf } from '../engine/core/errors.ts';
import { FailureList, type JobFailure } from '../engine/core/failure-list.ts';
import { heldPrefix } from '../engine/worker/admission/held-index.ts';
import { PAUSED_TASKS } from '../engine/worker/admission/paused-tasks.ts';
import { defineOperation, type Run } from './operation.ts';
import type { Session } from './session.ts';
import { type MovedEntries, moveEntries } from './transfer/entry-moving.ts';
import { MigrationMemory } from './transfer/migration-record.ts';
import { assertWholeFlows, QueueMoving } from './transfer/queue-moving.ts';
import { copyState } from './transfer/state-writing.ts';
import { ensureBrokerId } from './undo/broker-id.ts';

/** A queue of which jobs were moved: `before` is `moved` and `left`. */
export interface MovedQueue {
  readonly queue: string;
  /** Jobs in the source when it began. */
  readonly before: number;
  readonly moved: number;
  /** Jobs in the source now. */
  readonly left: number;
  readonly targetBefore: number;
  readonly targetAfter: number;
}

export interface JobMigration {
  /** Masked. */
  readonly from: string;
  readonly to: string;
  readonly queues: readonly MovedQueue[];
  readonly moved: number;
  readonly left: number;
  /** Jobs that stay in the source; at most a hundred are named. */
  readonly failed: readonly JobFailure[];
  readonly failedCount: number;
  /** Names of the schedule entries that were moved. */
  readonly entries: readonly string[];
  /** Ids of job schedulers of plain BullMQ, which stay with their next jobs. */
  readonly schedulers: readonly string[];
  /** Why it ended before all was done; null when all was. */
  readonly stopped: string | null;
}

const WAIT_MS = 60_000;
const LOOK_EVERY_MS = 200;
/** Producers that still add jobs would keep it at work for ever. */
const MAX_PASSES = 50;

const url = pipe(string(), minLength(1, 'a broker has a URL'));

/** Its session is one of the source: what is written down of the run stands where jobs were removed. */
export const migrateJobs = defineOperation({
  name: 'migrate-jobs',
  effect: 'destructive',
  summary: 'Move queues with all their jobs to another broker',
  input: strictObject({
    from: url,
    to: url,
    queues: exactOptional(pipe(array(string()), nonEmpty('no queue was given'))),
    waitMs: exactOptional(pipe(number(), integer(), minValue(0))),
  }),
  async plan(session, { from, to, queues }) {
    const source = await session.broker();
    if (from === to) throw createError('SAME_BROKER', { from: source.url, to: maskUrl(to) });
    const names = await chooseQueues(source, queues);
    if (queues !== undefined) await assertWholeFlows(source, new Set(names));
    const rows = await Promise.all(
      names.map(async (queue) => ({
        queue,
        jobs: await countJobs(source, queue),
        active: await countActive(source, queue),
      })),
    );
    const count = rows.reduce((sum, { jobs }) => sum + jobs, 0);
    const what = `${count === 1 ? '1 job' : `${count} jobs`} of ${rows.length === 1 ? '1 queue' : `${rows.length} queues`}`;
    return {
      summary: `would move ${what} from ${source.url} to ${maskUrl(to)}, and leave them paused here`,
      count,
      rows,
    };
  },
  async run(session, { to, queues, waitMs = WAIT_MS }, run): Promise<JobMigration> {
    const source = await session.broker();
    const target = await openTarget(to, session);
    try {
      return await migrate({ source, target }, { queues, waitMs, clock: session.clock }, run);
    } finally {
      await target.close();
    }
  },
  commandLine: ({ from, to, queues }) => [
    ...['migrate', '--from', maskUrl(from), '--to', maskUrl(to)],
    ...(queues === undefined ? [] : ['-Q', queues.join(',')]),
    '--yes',
  ],
});

interface Brokers {
  readonly source: Broker;
  readonly target: Broker;
}

interface MigrateOptions {
  readonly queues: readonly string[] | undefined;
  readonly waitMs: number;
  readonly clock: Session['clock'];
}

/** Makes the schema if there is none; an older one is upgraded. */
async function openTarget(to: string, { clock }: Session): Promise<Broker> {
  const maker = await openBroker(to, { clock, skipSchema: true });
  try {
    await maker.migrate();
  } finally {
    await maker.close();
  }
  return await openBroker(to, { clock });
}

/**
 * 1. what was paused before is written down, in the source;
 * 2. the queues are paused there, and nothing runs any more;
 * 3. they are paused in the target, which learns of priorities and paused tasks;
 * 4. schedule entries are moved, so that no firing is added to the source any more;
 * 5. the jobs are moved, until a pass finds none;
 * 6. the queues of the target go on, but for those that were paused on either side.
 */
async function migrate(brokers: Brokers, { queues, waitMs, clock }: MigrateOptions, run: Run): Promise<JobMigration> {
  const { source, target } = brokers;
  const [sourceId, targetId] = [await ensureBrokerId(source.state), await ensureBrokerId(target.state)];
  if (targetId === null || sourceId === targetId) {
    throw createError('SAME_BROKER', { from: source.url, to: target.url });
  }
  const names = await chooseQueues(source, queues);
  if (queues !== undefined) await assertWholeFlows(source, new Set(names));
  const { memory, fresh } = await MigrationMemory.begin(brokers, targetId, names);
  for (const name of names) await source.queue(name).pause();
  const restoreFresh = async (): Promise<void> => {
    for (const name of fresh) await source.queue(name).resume();
    await memory.forget(fresh);
  };
  const isIdle = await waitUntilIdle(source, names, { waitMs, clock, signal: run.signal }).catch(async (error) => {
    await restoreFresh();
    throw error;
  });
  const moving = new QueueMoving(source, target);
  let stopped: string | null = isIdle ? null : 'it was asked to stop; the queues are as they were';
  let entries: MovedEntries = { moved: [], failed: new FailureList() };
  const stop = (error: unknown): void => {
    stopped = `${messageOf(error)}; the queues are paused on both sides until it is done`;
  };
  if (isIdle) {
    await prepareTarget(brokers, names).catch(async (error) => {
      await restoreFresh();
      throw error;
    });
    await moveEntries(brokers, { queues, clock }).then((moved) => {
      entries = moved;
    }, stop);
  } else await restoreFresh();
  const before = await countAll(brokers, names);
  if (stopped === null) {
    try {
      stopped = await moveAll(moving, names, run);
      if (stopped === null) await resumeTarget(brokers, names, memory);
    } catch (error) {
      stop(error);
    }
  }
  return {
    ...{ from: source.url, to: target.url },
    ...(await report(brokers, names, { before, moving })),
    ...{ failed: [...entries.failed.named, ...moving.failed.named] },
    ...{ failedCount: entries.failed.count + moving.failed.count, entries: entries.moved },
    ...{ schedulers: [...moving.schedulers].sort(), stopped },
  };
}

/** @returns false when it was asked to stop. @throws MIGRATION_BUSY */
async function waitUntilIdle(
  source: Broker,
  queues: readonly string[],
  { waitMs, clock, signal }: { waitMs: number; clock: Session['clock']; signal: AbortSignal },
): Promise<boolean> {
  const begunAt = clock.monotonic();
  for (;;) {
    if (signal.aborted) return false;
    const counts = await Promise.all(queues.map((name) => countActive(source, name)));
    const busy = queues.filter((_, index) => counts[index] !== 0);
    if (busy.length === 0) return true;
    if (clock.monotonic() - begunAt >= waitMs) {
      const running = await Promise.all(busy.map((name) => source.queue(name).listActive(0, 10)));
      const ids = running.flat().map(({ id, lockLeftMs }) => (lockLeftMs === null ? `${id} (its worker is gone)` : id));
      throw createError('MIGRATION_BUSY', { queues: busy, ids, waitedMs: waitMs });
    }
    await wait(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function prepareTarget({ source, target }: Brokers, queues: readonly string[]): Promise<void> {
  await copyState(source.state, target.state, PAUSED_TASKS);
  for (const name of queues) {
    const queue = target.queue(name);
    await queue.pause();
    if (await source.queue(name).hasPriorities(true)) await queue.enablePriorities();
  }
}

/** @returns why it ended early; null when a pass has found nothing more to move */
async function moveAll(
  moving: QueueMoving,
  queues: readonly string[],
  { signal, progress }: Run,
): Promise<string | null> {
  let moved = 0;
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const found = await moving.pass(queues, signal, (jobs) => {
      moved += jobs;
      progress(moved);
    });
    if (signal.aborted) return 'it was asked to stop; the queues are paused on both sides until it is done';
    if (found === 0) return null;
  }
  return 'jobs are still added to the source: stop what sends them there';
}

async function resumeTarget(
  { source, target }: Brokers,
  queues: readonly string[],
  memory: MigrationMemory,
): Promise<void> {
  // Entries of jobs that are not there are not shown.
  await copyState(source.state, target.state, REVOKED);
  for (const name of queues) {
    await copyState(source.state, target.state, heldPrefix(name));
    const before = memory.before(name);
    if (!before.source && !before.target) await target.queue(name).resume();
  }
  await memory.finish();
}

async function report(
  brokers: Brokers,
  queues: readonly string[],
  { before, moving }: { before: ReadonlyMap<string, Counted>; moving: QueueMoving },
): Promise<Pick<JobMigration, 'queues' | 'moved' | 'left'>> {
  // A broker that has just gone away cannot be counted: then what is known is what was before, and what was moved.
  const after = await countAll(brokers, queues).catch(() => undefined);
  const rows = queues.map((queue): MovedQueue => {
    const was = before.get(queue) ?? { source: 0, target: 0 };
    const moved = moving.moved.get(queue) ?? 0;
    const is = after?.get(queue) ?? { source: was.source - moved, target: was.target + moved };
    return { queue, before: was.source, moved, left: is.source, targetBefore: was.target, targetAfter: is.target };
  });
  return { queues: rows, moved: sum(rows.map(({ moved }) => moved)), left: sum(rows.map(({ left }) => left)) };
}

interface Counted {
  readonly source: number;
  readonly target: number;
}

async function countAll({ source, target }: Brokers, queues: readonly string[]): Promise<Map<string, Counted>> {
  const counts = await Promise.all(
    queues.map(
      async (name): Promise<[string, Counted]> => [
        name,
        { source: await countJobs(source, name), target: await countJobs(target, name) },
      ],
    ),
  );
  return new Map(counts);
}

async function countJobs(broker: Broker, queue: string): Promise<number> {
  return sum(Object.values(await broker.queue(queue).counts()));
}

async function countActive(broker: Broker, queue: string): Promise<number> {
  return (await broker.queue(queue).counts()).active;
}

async function chooseQueues(source: Broker, queues: readonly string[] | undefined): Promise<readonly string[]> {
  for (const name of queues ?? []) assertQueueName(name);
  return queues === undefined ? await source.listQueues({ isWhole: true }) : [...new Set(queues)];
}

function sum(counts: Iterable<number>): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
