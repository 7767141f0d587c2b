import { isDeepStrictEqual } from 'node:util';
import type { ScanPlace } from '../../engine/broker/bulk-port.ts';
import type { Broker, BrokerQueue } from '../../engine/broker/port.ts';
import { isUnfinished } from '../../engine/broker/record-values.ts';
import { WorkflowRecords } from '../../engine/canvas/workflow-records.ts';
import { createError } from '../../engine/core/errors.ts';
import { FailureList } from '../../engine/core/failure-list.ts';
import type { JobRecord } from '../../engine/core/job-record.ts';
import { RecordSlices } from '../../engine/jobs/record-slices.ts';
import { writeStateRecord } from './state-writing.ts';

/** What ended is moved last: until then a job of a flow finds what it has to do with. */
const ORDER: readonly ScanPlace[] = ['waiting', 'scheduled', 'dead', 'completed', 'blocked'];
/** Parents that were met last, so that they are not read with every page of their children. */
const REMEMBERED = 10_000;
const MAX_SCHEDULERS = 1000;

/**
 * Moves the jobs of paused queues to another broker, where they are paused too, so that nobody runs them twice:
 *
 * 1. A page is read, stored in the target, and then removed from the source, if it is there as it was read. Killed in between, both have
 *    these jobs, under the same ids; the next run finds them in the target and removes them.
 * 2. The parent of a job that waits for it is copied before the job is moved. In the source it then waits for less and less, and runs free
 *    when nothing is left to wait for; in the target it waits for all. It is removed from the source when it waits for nobody there.
 * 3. A job whose id another job has in the target stays, and so do the jobs of a job scheduler that is still there.
 */
export class QueueMoving {
  readonly #source: Broker;
  readonly #target: Broker;
  readonly #workflows: WorkflowRecords;
  readonly #slices = new RecordSlices();
  readonly #copiedParents = new Set<string>();
  /** Ids of job schedulers, whose jobs stay. */
  readonly schedulers = new Set<string>();
  /** What could not be moved in the last pass. */
  failed = new FailureList();
  /** By queue. */
  readonly moved = new Map<string, number>();

  constructor(source: Broker, target: Broker) {
    this.#source = source;
    this.#target = target;
    this.#workflows = new WorkflowRecords(source.state);
  }

  /**
   * One pass over the queues. Jobs that come meanwhile, or that wait for others, are moved by the next one.
   *
   * @param onMoved after each page
   * @returns how many jobs were moved; at 0 there is nothing more to move
   */
  async pass(queues: readonly string[], signal: AbortSignal, onMoved: (jobs: number) => void): Promise<number> {
    let sum = 0;
    this.failed = new FailureList();
    for (const name of queues) {
      const { bulk } = this.#source.queue(name);
      for (const place of ORDER) {
        for await (const page of bulk.scanSummaries({ places: [place] })) {
          const ids = page.map(({ id }) => id);
          for await (const records of this.#slices.read(bulk, ids)) {
            if (signal.aborted) return sum;
            const moved = await this.#move(name, records);
            this.moved.set(name, (this.moved.get(name) ?? 0) + moved);
            sum += moved;
            onMoved(moved);
          }
        }
      }
    }
    return sum;
  }

  async #move(name: string, records: readonly JobRecord[]): Promise<number> {
    const kept = await this.#listKept(name, records);
    const movable = records.filter((record) => record.place !== 'active' && !kept.has(record));
    if (movable.length === 0) return 0;
    await this.#copyParents(movable);
    for await (const entries of this.#workflows.of(movable)) {
      for (const entry of entries) await writeStateRecord(this.#target.state, entry);
    }
    const there = await this.#store(this.#target.queue(name), movable);
    let moved = 0;
    for (const [place, group] of Map.groupBy(there, (record) => record.place)) {
      const ids = group.map(({ id }) => id);
      moved += (await this.#source.queue(name).bulk.remove(ids, [place])).length;
    }
    return moved;
  }

  /** @returns the jobs that the target has now */
  async #store(queue: BrokerQueue, records: readonly JobRecord[]): Promise<JobRecord[]> {
    const answers = await queue.bulk.restore(records.map(withoutRank));
    const kindOf = (index: number) => answers[index]?.kind;
    const present = records.filter((_, index) => kindOf(index) === 'present');
    const found = new Map((await readSome(queue, present)).map((record) => [record.id, record]));
    return records.filter((record, index) => {
      const answer = answers[index];
      if (answer?.kind === 'restored') return true;
      if (answer?.kind === 'refused') this.failed.add(record.id, answer.reason);
      else if (isSame(record, found.get(record.id))) return true;
      else this.failed.add(record.id, `queue "${queue.name}" of the target has another job of this id`);
      return false;
    });
  }

  /** Those that still wait, and theirs. */
  async #copyParents(records: readonly JobRecord[]): Promise<void> {
    for (const { parent } of records) {
      if (parent === null) continue;
      const key = JSON.stringify([parent.queue, parent.id]);
      if (this.#copiedParents.has(key)) continue;
      const found = await this.#source.queue(parent.queue).bulk.readRecords([parent.id]);
      const waiting = found.filter(({ place }) => place === 'blocked');
      if (waiting.length > 0) {
        await this.#copyParents(waiting);
        await this.#target.queue(parent.queue).bulk.restore(waiting.map(withoutRank));
      }
      this.#copiedParents.add(key);
      const [oldest] = this.#copiedParents;
      if (this.#copiedParents.size > REMEMBERED && oldest !== undefined) this.#copiedParents.delete(oldest);
    }
  }

  /** Unfinished jobs of job schedulers that are there; a firing whose entry has been moved, or removed, is a job as any other. */
  async #listKept(name: string, records: readonly JobRecord[]): Promise<Set<JobRecord>> {
    const made = records.filter((record) => record.schedulerId !== null && isUnfinished(record));
    const ids = [...new Set(made.flatMap(({ schedulerId }) => schedulerId ?? []))];
    if (ids.length === 0) return new Set();
    const states = await this.#source.queue(name).schedules.read(ids);
    const live = new Set(ids.filter((_, index) => states[index] !== undefined));
    for (const id of live) if (this.schedulers.size < MAX_SCHEDULERS) this.schedulers.add(id);
    return new Set(made.filter(({ schedulerId }) => schedulerId !== null && live.has(schedulerId)));
  }
}

function withoutRank({ rank: _, ...record }: JobRecord): JobRecord {
  return record;
}

async function readSome(queue: BrokerQueue, records: readonly JobRecord[]): Promise<JobRecord[]> {
  return records.length === 0 ? [] : await queue.bulk.readRecords(records.map(({ id }) => id));
}

/** Stores may write the same JSON in another way, and an instant without its fraction. */
function isSame(one: JobRecord, other: JobRecord | undefined): boolean {
  if (other === undefined || one.task !== other.task) return false;
  if (Math.floor(one.createdAt) !== Math.floor(other.createdAt)) return false;
  return one.data === other.data || isDeepStrictEqual(JSON.parse(one.data), JSON.parse(other.data));
}

/**
 * Looks at all that waits for other jobs.
 *
 * @throws FLOW_SPLIT when a job that is to be moved and one that is not wait for each other
 */
export async function assertWholeFlows(broker: Broker, moved: ReadonlySet<string>): Promise<void> {
  const slices = new RecordSlices();
  for (const name of await broker.listQueues({ isWhole: true })) {
    const { bulk } = broker.queue(name);
    for await (const page of bulk.scanSummaries({ places: ['blocked'] })) {
      const ids = page.map(({ id }) => id);
      for await (const records of slices.read(bulk, ids)) {
        for (const { id, children } of records) {
          const other = children.find(({ queue, end }) => end === 'pending' && moved.has(queue) !== moved.has(name));
          if (other === undefined) continue;
          const [queue, missing] = moved.has(name) ? [name, other.queue] : [other.queue, name];
          throw createError('FLOW_SPLIT', { queue, missing, id: moved.has(name) ? id : other.id });
        }
      }
    }
  }
}
