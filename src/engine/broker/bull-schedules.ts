import { announceQueue } from './announcing.ts';
import { attempt } from './attempt.ts';
import { stepTo } from './chain-step.ts';
import { type FiringTemplate, toFiringOptions, toTemplate } from './firing-options.ts';
import { formatData } from './job-json.ts';
import type { ArmedFiring, QueueSchedules, SchedulerState } from './schedule-port.ts';
import { readStored, toSchedulerState } from './scheduler-state.ts';
import type { Store } from './store.ts';

/** Who arms is overtaken by those who advance; each of them has gone on by a firing. */
const TRIES = 50;

/** The job schedulers of one queue over BullMQ's records. */
export class BullSchedules implements QueueSchedules {
  readonly #queue: string;
  readonly #store: Store;
  #isAnnounced = false;

  constructor(queue: string, store: Store) {
    this.#queue = queue;
    this.#store = store;
  }

  arm(firing: ArmedFiring): Promise<boolean> {
    const { id, rule, runsBefore, job } = firing;
    const template = toTemplate({ rule, runsBefore }, job);
    return this.#attempt(`arming schedule entry "${id}"`, async () => {
      await this.#announce();
      for (let time = 1; time <= TRIES; time += 1) {
        // One that is there after all answers that it has moved, and is read then.
        const mayBeThere = time > 1 || firing.isNew !== true;
        const answer = await this.#putAhead(firing, template, mayBeThere);
        if (answer !== 'moved') return answer === 'put';
      }
      throw new Error(`others go on with "${id}" all the time`);
    });
  }

  /** A firing ahead that is still to come gives way; from one that is due the scheduler goes on, so that it stays. */
  async #putAhead(
    { id, dueAt, job }: ArmedFiring,
    template: FiringTemplate,
    mayBeThere: boolean,
  ): Promise<'put' | 'taken' | 'moved'> {
    const { schedules, clock } = this.#store;
    const [record] = mayBeThere ? await schedules.read(this.#queue, [id]) : [];
    const now = clock.now();
    const isThere = record != null && record.state !== null;
    const gives = record != null && (isThere ? record.state === 'delayed' && record.dueAt > now : true);
    // A missing firing that was due counts as one that was made, unless it is the same that comes back.
    const isCounted = record != null && (!gives || (!isThere && record.dueAt <= now && record.dueAt !== dueAt));
    const made = (record?.made ?? 1) + (isCounted ? 1 : 0);
    return await schedules.put(
      this.#queue,
      {
        ...{ id, to: dueAt, made, replaces: gives, from: record?.dueAt ?? null, priority: template.priority ?? 0 },
        opts: toFiringOptions(template, { id, dueAt, made, now }),
        template: {
          name: job.task,
          data: formatData(job),
          pattern: template.repeat.pattern,
          tz: template.repeat.tz,
          opts: { ...template },
        },
      },
      now,
    );
  }

  advance(id: string, from: number, to: number): Promise<boolean> {
    const { schedules, clock } = this.#store;
    return this.#attempt(`going on with schedule entry "${id}"`, async () => {
      const [record] = await schedules.read(this.#queue, [id]);
      if (record == null || record.dueAt !== from) return false;
      const found = readStored(record, id);
      if (found === undefined) return false;
      const { template, stored } = found;
      const place = { queue: this.#queue, id, dueAt: from, made: record.made, template };
      return (await stepTo(schedules, place, { to, now: clock.now(), stored })) !== undefined;
    });
  }

  remove(id: string): Promise<boolean> {
    const { schedules, clock } = this.#store;
    return this.#attempt(`removing schedule entry "${id}"`, () => schedules.remove(this.#queue, id, clock.now()));
  }

  async read(ids: readonly string[]): Promise<(SchedulerState | undefined)[]> {
    if (ids.length === 0) return [];
    const { schedules, clock } = this.#store;
    const records = await this.#attempt('reading schedule entries', () => schedules.read(this.#queue, ids));
    const now = clock.now();
    return records.map((record, index) =>
      record === null ? undefined : toSchedulerState(record, ids[index] as string, now),
    );
  }

  list(offset: number, limit: number): Promise<{ id: string; dueAt: number }[]> {
    if (limit <= 0) return Promise.resolve([]);
    return this.#attempt('listing schedule entries', async () => {
      const backend = this.#store.queueBackend(this.#queue);
      const flat = await backend.getJobSchedulersRange(offset, offset + limit - 1, true);
      return Array.from({ length: Math.floor(flat.length / 2) }, (_, index) => ({
        id: String(flat[2 * index]),
        dueAt: Number(flat[2 * index + 1]),
      }));
    });
  }

  size(): Promise<number> {
    return this.#attempt('counting schedule entries', () =>
      this.#store.queueBackend(this.#queue).getJobSchedulersCount(),
    );
  }

  /** The metadata of a queue is how others find it. */
  async #announce(): Promise<void> {
    if (this.#isAnnounced) return;
    await announceQueue(this.#queue, this.#store, this.#store.queueBackend(this.#queue));
    this.#isAnnounced = true;
  }

  #attempt<Result>(doing: string, operation: () => Promise<Result>): Promise<Result> {
    return attempt(this.#store, `${doing} of queue "${this.#queue}"`, operation);
  }
}
