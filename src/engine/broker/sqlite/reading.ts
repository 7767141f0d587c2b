import type { JobState, JobType } from 'bullmq';
import { type ChildRecord, countChildren, listChildren } from './child-ledger.ts';
import { readJob, readJobJson } from './job-row.ts';
import { toSlice } from './metrics.ts';
import type { OpenQueue } from './open-queue.ts';
import { asRefusal } from './refusal.ts';
import { countSchedulers, listSchedulers } from './scheduler-row.ts';
import { type ChildKind, STATE_CODES, type State } from './schema.ts';

/** What can be asked of a queue and its jobs. Nothing here changes anything. */

const IDS = 'SELECT id FROM job WHERE queue_id = ? AND state = ? ORDER BY rank, id LIMIT ? OFFSET ?';
const IDS_DOWN = 'SELECT id FROM job WHERE queue_id = ? AND state = ? ORDER BY rank DESC, id DESC LIMIT ? OFFSET ?';
const COUNT_BETWEEN = 'SELECT count(*) FROM job WHERE queue_id = ? AND state = ? AND rank >= ? AND rank < ?';

/** BullMQ counts and lists the schedulers of a queue like the jobs of a state. */
const SCHEDULERS = 'repeat';

/** BullMQ's `waiting` is its `wait`; a `paused` list it does not fill any more. */
function toState(type: string): State | undefined {
  const name = type === 'waiting' ? 'wait' : type;
  return name in STATE_CODES ? (name as State) : undefined;
}

export function readState(queue: OpenQueue, id: string): JobState | 'unknown' {
  const state = readJob(queue, id)?.state;
  if (state == null) return 'unknown';
  return state === 'wait' ? 'waiting' : state;
}

/** @param before counts of the delayed jobs only those that are due before this instant, epoch ms */
export function countStates(queue: OpenQueue, types: readonly JobType[], before: number | undefined): number[] {
  return types.map((type) => {
    const state = toState(type);
    if (state === undefined) return type === SCHEDULERS ? countSchedulers(queue) : 0;
    if (state !== 'delayed' || before === undefined) return queue.count(state);
    return countBetween(queue, state, Number.NEGATIVE_INFINITY, before * 0x1000);
  });
}

export function countPriorities(queue: OpenQueue, priorities: readonly number[]): number[] {
  return priorities.map((priority) =>
    priority === 0
      ? queue.count('wait')
      : countBetween(queue, 'prioritized', priority * 0x1_0000_0000, (priority + 1) * 0x1_0000_0000),
  );
}

function countBetween({ connection, id }: OpenQueue, state: State, from: number, below: number): number {
  return connection.get(COUNT_BETWEEN, id, STATE_CODES[state], from, below)?.[0] as number;
}

/** States that Redis keeps as lists, newest first; BullMQ turns an ascending page of these around itself. */
const LISTS: readonly string[] = ['wait', 'active'];

/** A page of ids for each state, by Redis' inclusive indexes. */
export function listIds(
  queue: OpenQueue,
  types: readonly string[],
  { start, end, asc }: { start: number; end: number; asc: boolean },
): string[][] {
  return types.map((type) => {
    const state = toState(type);
    if (state === undefined) return type === SCHEDULERS ? listSchedulerIds(queue, { start, end, asc }) : [];
    const { skip, limit } = toSlice(start, end, queue.count(state));
    const sql = asc ? IDS : IDS_DOWN;
    const ids = queue.connection.all(sql, queue.id, STATE_CODES[state], limit, skip).map(([id]) => id as string);
    return asc && LISTS.includes(state) ? ids.reverse() : ids;
  });
}

function listSchedulerIds(
  queue: OpenQueue,
  { start, end, asc }: { start: number; end: number; asc: boolean },
): string[] {
  const page = toSlice(start, end, countSchedulers(queue));
  return listSchedulers(queue, { ...page, down: !asc }).map(({ id }) => id);
}

export function isInState(queue: OpenQueue, type: string, id: string): boolean {
  if (type === 'paused') return false;
  const state = toState(type);
  if (state === undefined) throw asRefusal(new Error(`Unknown job state: ${type}`));
  return readJob(queue, id)?.state === state;
}

/** BullMQ's codes: 0 not finished, 1 completed, 2 failed, -1 no such job; with the value, its JSON or its reason beside it. */
export function readFinish(queue: OpenQueue, id: string, withValue: boolean): number | [number, string] {
  const state = readJob(queue, id)?.state;
  if (state === undefined) {
    return withValue ? [-1, `Missing key for job ${queue.jobKey(id)}. isFinished`] : -1;
  }
  const code = state === 'completed' ? 1 : state === 'failed' ? 2 : 0;
  if (!withValue) return code;
  if (code === 0) return [0] as unknown as [number, string];
  const json = readJobJson(queue, id);
  return [code, (code === 1 ? json?.returnvalue : json?.failedReason) as string];
}

const DEPENDENCY_KINDS: Readonly<Record<string, ChildKind>> = {
  processed: 'processed',
  unprocessed: 'unprocessed',
  ignored: 'ignored',
};

export function countDependencies(queue: OpenQueue, id: string, types: readonly string[]): number[] {
  return types.map((type) => countChildren(queue, id, DEPENDENCY_KINDS[type] ?? 'failed'));
}

interface Paging {
  readonly cursor?: number;
  readonly count?: number;
}

export interface DependencyPages {
  readonly failed?: Paging;
  readonly ignored?: Paging;
  readonly processed?: Paging;
  readonly unprocessed?: Paging;
}

export interface Dependencies {
  nextFailedCursor?: number;
  failed?: string[];
  nextIgnoredCursor?: number;
  ignored?: Record<string, unknown>;
  nextProcessedCursor?: number;
  processed?: Record<string, unknown>;
  nextUnprocessedCursor?: number;
  unprocessed?: string[];
}

const DEFAULT_PAGE = 20;

/** All children by what became of them, or the pages that are asked for. A cursor of 0 ends a listing. */
export function listDependencies(queue: OpenQueue, id: string, pages: DependencyPages): Dependencies {
  if (!pages.processed && !pages.unprocessed && !pages.ignored && !pages.failed) {
    return {
      processed: toValues(listChildren(queue, id, 'processed')),
      unprocessed: toKeys(listChildren(queue, id, 'unprocessed')),
      failed: toKeys(listChildren(queue, id, 'failed')),
      ignored: toReasons(listChildren(queue, id, 'ignored')),
    };
  }
  const answer: Dependencies = {};
  const page = (kind: ChildKind, { cursor = 0, count = DEFAULT_PAGE }: Paging) => {
    const found = listChildren(queue, id, kind, { limit: count + 1, skip: cursor });
    return { children: found.slice(0, count), next: found.length > count ? cursor + count : 0 };
  };
  if (pages.processed) {
    const { children, next } = page('processed', pages.processed);
    Object.assign(answer, { processed: toValues(children), nextProcessedCursor: next });
  }
  if (pages.ignored) {
    const { children, next } = page('ignored', pages.ignored);
    Object.assign(answer, { ignored: toReasons(children), nextIgnoredCursor: next });
  }
  if (pages.failed) {
    const { cursor = 0, count = DEFAULT_PAGE } = pages.failed;
    Object.assign(answer, { failed: toKeys(page('failed', pages.failed).children), nextFailedCursor: cursor + count });
  }
  if (pages.unprocessed) {
    const { children, next } = page('unprocessed', pages.unprocessed);
    Object.assign(answer, { unprocessed: toKeys(children), nextUnprocessedCursor: next });
  }
  return answer;
}

function toKeys(children: readonly ChildRecord[]): string[] {
  return children.map(({ childKey }) => childKey);
}

function toValues(children: readonly ChildRecord[]): Record<string, unknown> {
  return Object.fromEntries(children.map(({ childKey, value }) => [childKey, JSON.parse(value ?? 'null')]));
}

/** The stored text of each child's outcome, by its key. */
export function toReasons(children: readonly ChildRecord[]): Record<string, string> {
  return Object.fromEntries(children.map(({ childKey, value }) => [childKey, value ?? '']));
}
