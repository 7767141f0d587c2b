/**
 * Which revoked jobs still lie in the broker, for people to look at: an entry `revoked/QUEUE/ID` for each job that was marked.
 * The mark in the job is the fact. This list may lack one when it could not be written, and forgets in time; it never shows a
 * job that has ended, because each is looked at before it is shown.
 */
import type { Broker, JobBrief } from '../broker/port.ts';
import type { StateStore } from '../broker/state-port.ts';
import { inBatches } from '../core/batches.ts';

/** A revoked job that has not ended: it waits to be filed away by a worker, or still runs. */
export interface LyingJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly phase: Exclude<JobBrief['phase'], 'finished'>;
  /** When it was revoked, epoch ms. */
  readonly at: number;
  readonly by: string | null;
}

/** Begin of the keys of the entries. */
export const REVOKED = 'revoked/';
/** A job that is scheduled for later than this is not listed any more then; it is revoked all the same. */
const KEEP_MS = 90 * 86_400_000;
const WRITTEN_AT_ONCE = 100;
const READ_AT_ONCE = 500;

/** Notes jobs that were marked. Never throws: what it writes is no fact that anything depends on. */
export async function keepRevoked(state: StateStore, jobs: readonly JobBrief[]): Promise<void> {
  const marked = jobs.filter(({ revoked }) => revoked !== undefined);
  await inBatches(marked, WRITTEN_AT_ONCE, (batch) =>
    Promise.all(batch.map(({ queue, id }) => state.write(formatKey(queue, id), '', { ttlMs: KEEP_MS }))),
  ).catch(() => undefined);
}

/**
 * The revoked jobs that have not ended, the latest first.
 *
 * @param limit how many entries are looked at
 */
export async function listLying(broker: Broker, limit: number): Promise<LyingJob[]> {
  const keys = (await broker.state.list(REVOKED, limit)).flatMap(({ key }) => parseKey(key) ?? []);
  const lying: LyingJob[] = [];
  for (const [queue, group] of Map.groupBy(keys, (key) => key.queue)) {
    const ids = group.map(({ id }) => id);
    const briefs = await inBatches(ids, READ_AT_ONCE, (batch) => broker.queue(queue).listBriefs(batch));
    const found = briefs.flatMap(toLying);
    lying.push(...found);
    await forget(
      broker.state,
      queue,
      ids.filter((id) => !found.some((job) => job.id === id)),
    );
  }
  return lying.sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1));
}

function toLying({ id, task, queue, phase, revoked }: JobBrief): LyingJob[] {
  return revoked === undefined || phase === 'finished'
    ? []
    : [{ id, task, queue, phase, at: revoked.at, by: revoked.by }];
}

/** Whoever lists clears away what has ended; when it cannot, the next one does. */
async function forget(state: StateStore, queue: string, ids: readonly string[]): Promise<void> {
  await inBatches(ids, WRITTEN_AT_ONCE, (batch) =>
    Promise.all(batch.map((id) => state.remove(formatKey(queue, id)))),
  ).catch(() => undefined);
}

function formatKey(queue: string, id: string): string {
  return `${REVOKED}${encodeURIComponent(queue)}/${id}`;
}

function parseKey(key: string): { queue: string; id: string } | undefined {
  const [, queue = '', id = ''] = /^revoked\/([^/]+)\/(.*)$/s.exec(key) ?? [];
  return queue === '' ? undefined : { queue: decodeURIComponent(queue), id };
}
