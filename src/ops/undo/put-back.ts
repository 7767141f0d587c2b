import type { Broker, BrokerQueue } from '../../engine/broker/port.ts';
import type { FailureList } from '../../engine/core/failure-list.ts';
import type { JobRecord } from '../../engine/core/job-record.ts';
import type { UndoKeeper } from '../undo-keeper.ts';
import type { BundleRecord } from './bundle-format.ts';
import { type KeptPage, recordsOf } from './bundle-reader.ts';
import { findChange } from './kept-comparison.ts';

/** One job that may be put back: as it was kept, and as it is now; null when it is gone. */
interface Candidate {
  readonly was: JobRecord;
  readonly now: JobRecord | null;
}

export interface PutBackOptions {
  readonly broker: Broker;
  /** Puts back also what may have run since. */
  readonly force: boolean;
  /** Is told what cannot be put back, and why. */
  readonly failed: Pick<FailureList, 'add'>;
}

const THERE = 'could not be restored: a job of this id is there';
const TOUCHED = 'could not be restored: another one touched it in this moment';
const GONE = 'could not be restored: it is gone, and may have run before it went; --force puts it back';
const GONE_ADDED = 'could not be restored: it is gone already';
const STEP = 'could not be restored: it is a part of a flow, whose other jobs would go on without it';

/**
 * Looks which jobs of a page can be put back, and changes nothing.
 *
 * @returns how many, by the queue that they go back to, or are taken out of
 */
export async function judgePage(page: KeptPage, options: PutBackOptions): Promise<Map<string, number>> {
  const { broker, failed } = options;
  const counts = new Map<string, number>();
  for (const [queue, kept] of Map.groupBy(page.kept, ({ record }) => record.queue)) {
    const able = await pickAble(broker.queue(queue), { ...page, kept }, options);
    const jobs = able.filter(({ was, now }) => page.was === 'absent' || now === null || !isStuck(was, now, failed));
    if (jobs.length > 0) counts.set(queue, jobs.length);
  }
  return counts;
}

/**
 * Puts the jobs of a page back as they were: what was removed is added, what was added is removed, what was changed or moved is changed
 * and moved back. Each is kept before, so that this can be undone too.
 *
 * @returns how many were put back
 */
export async function putBackPage(
  page: KeptPage,
  options: PutBackOptions & { readonly keeper: UndoKeeper | undefined },
): Promise<number> {
  let restored = 0;
  for (const [queue, kept] of Map.groupBy(page.kept, ({ record }) => record.queue)) {
    const work = new PutBack(options.broker.queue(queue), { ...page, kept }, options);
    restored += await work.run();
  }
  return restored;
}

/** Of jobs of one queue. */
class PutBack {
  readonly #queue: BrokerQueue;
  readonly #page: KeptPage;
  readonly #options: PutBackOptions & { readonly keeper: UndoKeeper | undefined };

  constructor(
    queue: BrokerQueue,
    page: KeptPage,
    options: PutBackOptions & { readonly keeper: UndoKeeper | undefined },
  ) {
    this.#queue = queue;
    this.#page = page;
    this.#options = options;
  }

  async run(): Promise<number> {
    const { after, was } = this.#page;
    // Whether something is there is found out by adding it, so nothing is read before.
    if (after === null) return await this.#add(recordsOf(this.#page));
    const able = await pickAble(this.#queue, this.#page, this.#options);
    if (was === 'absent') return await this.#takeOut(able);
    const gone = able.filter(({ now }) => now === null).map((each) => each.was);
    let restored = await this.#add(gone);
    const changed: { was: JobRecord; now: JobRecord }[] = [];
    for (const { was: record, now } of able) {
      if (now !== null && !isStuck(record, now, this.#options.failed)) changed.push({ was: record, now });
    }
    const kinds = Map.groupBy(changed, ({ was: record, now }) => chooseWay(record, now));
    restored += await this.#moveBack(kinds.get('move') ?? []);
    restored += await this.#writeBack(kinds.get('rewrite') ?? []);
    restored += await this.#replace(kinds.get('replace') ?? []);
    return restored;
  }

  /** Adds what is not there. */
  async #add(records: readonly JobRecord[]): Promise<number> {
    if (records.length === 0) return 0;
    const { keeper, failed } = this.#options;
    // A job that ran is put back as one that waits.
    const added = records.map(
      (record): JobRecord => (record.place === 'active' ? { ...record, place: 'waiting' } : record),
    );
    for (const group of Map.groupBy(added, ({ place }) => place).values()) await keeper?.keepNew(group);
    const results = new Map((await this.#queue.bulk.restore(added)).map((each) => [each.id, each]));
    const missed = added.filter(({ id }) => results.get(id)?.kind !== 'restored');
    for (const { id } of missed) {
      const result = results.get(id);
      failed.add(id, result?.kind === 'refused' ? `could not be restored: ${result.reason}` : THERE);
    }
    keeper?.left(missed);
    return added.length - missed.length;
  }

  /** Removes what was added. */
  async #takeOut(able: readonly Candidate[]): Promise<number> {
    const present = able.flatMap(({ now }) => (now === null ? [] : [now]));
    if (present.length === 0) return 0;
    await this.#options.keeper?.keep(present, null);
    return this.#settle(present, await this.#queue.bulk.remove(idsOf(present), placesOf(present)));
  }

  async #moveBack(jobs: readonly Changed[]): Promise<number> {
    let restored = 0;
    for (const group of groupByPlace(jobs)) {
      const present = group.map(({ now }) => now);
      const [first] = present;
      if (first === undefined) continue;
      await this.#options.keeper?.keep(present, { queue: this.#queue.name, place: first.place });
      const { bulk } = this.#options.broker.queue(first.queue);
      restored += this.#settle(present, await bulk.move(idsOf(present), this.#queue.name, [first.place]));
    }
    return restored;
  }

  async #writeBack(jobs: readonly Changed[]): Promise<number> {
    let restored = 0;
    for (const group of groupByPlace(jobs)) {
      const present = group.map(({ now }) => now);
      const [first] = present;
      if (first === undefined) continue;
      const data = Object.fromEntries(group.map(({ was }) => [was.id, was.data]));
      await this.#options.keeper?.keep(present, { queue: this.#queue.name, place: first.place, data });
      const changes = group.map(({ was, now }) => ({ id: was.id, data: { seen: now.data, next: was.data } }));
      restored += this.#settle(present, await this.#queue.bulk.rewrite(changes));
    }
    return restored;
  }

  /** Takes jobs out and adds them as they were. If this process dies between the two, they are in the bundle of this run. */
  async #replace(jobs: readonly Changed[]): Promise<number> {
    let restored = 0;
    const groups = Map.groupBy(jobs, ({ was, now }) => JSON.stringify([was.place, now.place, now.queue]));
    for (const group of groups.values()) {
      const [first] = group;
      if (first === undefined) continue;
      const present = group.map(({ now }) => now);
      const data = Object.fromEntries(group.map(({ was }) => [was.id, was.data]));
      const ran = Object.fromEntries(
        group.map(({ was: { id, startedAt, finishedAt } }) => [id, { startedAt, finishedAt }]),
      );
      await this.#options.keeper?.keep(present, { queue: first.was.queue, place: first.was.place, data, ran });
      const from = this.#options.broker.queue(first.now.queue).bulk;
      const removed = new Set(await from.remove(idsOf(present), [first.now.place]));
      this.#settle(present, [...removed]);
      const out = group.filter(({ was }) => removed.has(was.id));
      const results = new Map(
        (await this.#queue.bulk.restore(out.map(({ was }) => was))).map((each) => [each.id, each]),
      );
      const lost = out.filter(({ was }) => results.get(was.id)?.kind !== 'restored');
      for (const { was } of lost) {
        const result = results.get(was.id);
        this.#options.failed.add(
          was.id,
          result?.kind === 'refused' ? `could not be restored: ${result.reason}` : THERE,
        );
      }
      // They go back to where they were a moment ago.
      if (lost.length > 0) await from.restore(lost.map(({ now }) => now));
      restored += out.length - lost.length;
    }
    return restored;
  }

  /** Counts what was changed, and tells what was not. */
  #settle(present: readonly JobRecord[], done: readonly string[]): number {
    const changed = new Set(done);
    const missed = present.filter(({ id }) => !changed.has(id));
    for (const { id } of missed) this.#options.failed.add(id, TOUCHED);
    this.#options.keeper?.left(missed);
    return changed.size;
  }
}

interface Changed {
  readonly was: JobRecord;
  readonly now: JobRecord;
}

/** The jobs that are as the operation left them; the others are told. */
async function pickAble(
  queue: BrokerQueue,
  { kept, after, was }: KeptPage,
  { broker, force, failed }: PutBackOptions,
): Promise<Candidate[]> {
  const ids = kept.map(({ record }) => record.id);
  if (after === null) {
    const there = new Set((await queue.listBriefs(ids)).map(({ id }) => id));
    for (const id of ids) if (there.has(id)) failed.add(id, THERE);
    return kept.filter(({ record }) => !there.has(record.id)).map(({ record }) => ({ was: record, now: null }));
  }
  const found = await broker.queue(after.queue).bulk.readRecords(ids);
  const present = new Map(found.map((record) => [record.id, record]));
  return kept.flatMap((each: BundleRecord): Candidate[] => {
    const now = present.get(each.record.id) ?? null;
    const reason =
      now === null
        ? describeGone(each.record, { was, force })
        : findChange(each, now, { was, after, queue: queue.name });
    if (reason === undefined) return [{ was: each.record, now }];
    failed.add(each.record.id, reason);
    return [];
  });
}

/** A dead letter that is put back runs for nobody by itself; one that waits does, and may have run already. */
function describeGone(
  { place }: JobRecord,
  { was, force }: { was: KeptPage['was']; force: boolean },
): string | undefined {
  if (was === 'absent') return GONE_ADDED;
  return force || place === 'dead' || place === 'completed' ? undefined : GONE;
}

/** A part of a flow cannot be taken out, not for a moment. */
function isStuck(was: JobRecord, now: JobRecord, failed: PutBackOptions['failed']): boolean {
  if ((now.parent === null && now.children.length === 0) || chooseWay(was, now) === 'rewrite') return false;
  failed.add(was.id, STEP);
  return true;
}

/** The least that puts a job back: moving and rewriting leave no moment in which it is nowhere. */
function chooseWay(was: JobRecord, now: JobRecord): 'move' | 'rewrite' | 'replace' {
  const isSame = was.place === now.place && was.priority === now.priority && was.dueAt === now.dueAt;
  if (!isSame) return 'replace';
  if (was.queue === now.queue) return 'rewrite';
  return was.data === now.data ? 'move' : 'replace';
}

function groupByPlace(jobs: readonly Changed[]): Changed[][] {
  return [...Map.groupBy(jobs, ({ now }) => JSON.stringify([now.queue, now.place])).values()];
}

const idsOf = (records: readonly JobRecord[]): string[] => records.map(({ id }) => id);
const placesOf = (records: readonly JobRecord[]) => [...new Set(records.map(({ place }) => place))];
