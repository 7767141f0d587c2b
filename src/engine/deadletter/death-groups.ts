import { describeKind } from '../core/fingerprint.ts';
import type { JobSummary } from '../core/job.ts';

/** Dead letters of one task in one queue that died of the same. */
export interface DeathGroup {
  /** `other` for all that came when there were too many kinds to tell apart. */
  readonly fingerprint: string;
  /** `Name: message` with numbers, ids and quoted values replaced. */
  readonly error: string;
  readonly task: string | null;
  readonly queue: string | null;
  readonly count: number;
  /** The first and the last death, epoch ms. */
  readonly firstAt: number | null;
  readonly lastAt: number | null;
  /** The id of the one that died last. */
  readonly sample: string | null;
}

/** More kinds than this are no kinds: they are counted together, so that memory has a bound. */
export const MAX_GROUPS = 5000;

type Counting = { -readonly [Key in keyof DeathGroup]: DeathGroup[Key] };

/** Counts dead letters by what they died of. Those that come first have the groups; what has none any more is `other`. */
export class DeathGroups {
  readonly #groups = new Map<string, Counting>();
  readonly #most: number;
  #other: Counting | undefined;
  total = 0;

  constructor(most = MAX_GROUPS) {
    this.#most = most;
  }

  add(job: JobSummary): void {
    const { id, task, queue, error, finishedAt } = job;
    const fingerprint = job.fingerprint ?? 'none';
    const key = `${fingerprint} ${queue} ${task}`;
    this.total += 1;
    let group = this.#groups.get(key);
    if (group === undefined && this.#groups.size < this.#most) {
      group = startGroup({ fingerprint, task, queue, error: error === null ? '' : describeKind(error) });
      this.#groups.set(key, group);
    }
    const isOther = group === undefined;
    group ??= this.#other ??= startGroup({ fingerprint: 'other', task: null, queue: null, error: 'of other kinds' });
    group.count += 1;
    if (finishedAt === null) return;
    group.firstAt = Math.min(group.firstAt ?? finishedAt, finishedAt);
    if (group.lastAt !== null && finishedAt < group.lastAt) return;
    group.lastAt = finishedAt;
    if (!isOther) group.sample = id;
  }

  /** The most frequent first, `other` at the end. */
  list(): DeathGroup[] {
    const groups = [...this.#groups.values()].sort(
      (one, next) => next.count - one.count || (next.lastAt ?? 0) - (one.lastAt ?? 0),
    );
    return this.#other === undefined ? groups : [...groups, this.#other];
  }
}

function startGroup(what: Pick<DeathGroup, 'fingerprint' | 'error' | 'task' | 'queue'>): Counting {
  return { ...what, count: 0, firstAt: null, lastAt: null, sample: null };
}
