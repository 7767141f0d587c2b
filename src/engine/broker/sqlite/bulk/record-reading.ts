import type { JobRecord, RecordChild, RecordHold, RecordParent, RecordPlace } from '../../../core/job-record.ts';
import { parseTexts, readOnDead } from '../../record-values.ts';
import { splitJobKey } from '../child-ledger.ts';
import type { SqlRow } from '../connection.ts';
import { dueAtOf } from '../job-place.ts';
import type { OpenQueue } from '../open-queue.ts';
import { CHILD_KINDS, STATE_NAMES, type State } from '../schema.ts';

/** The states of each place. */
export const PLACES: Readonly<Record<State, RecordPlace>> = {
  wait: 'waiting',
  prioritized: 'waiting',
  active: 'active',
  delayed: 'scheduled',
  'waiting-children': 'blocked',
  failed: 'dead',
  completed: 'completed',
};

/** Of a query about jobs of one queue (?1) with the ids of a JSON array (?2). */
export const WANTED = 'queue_id = ?1 AND id IN (SELECT value FROM json_each(?2))';

const JOBS = `SELECT id, name, state, rank, data, opts, priority, timestamp, delay, attempts_made, attempts_started, stalled_count,
  processed_on, finished_on, processed_by, failed_reason, stacktrace, return_value, progress, deferred_failure,
  deduplication_id, scheduler_id, parent, parent_key FROM job WHERE ${WANTED}`;
const LOGS = `SELECT job_id, line FROM log WHERE queue_id = ?1 AND job_id IN (SELECT value FROM json_each(?2))
  ORDER BY job_id, line_no`;
const CHILDREN = `SELECT parent_id, child_key, kind, value FROM dependency
  WHERE queue_id = ?1 AND parent_id IN (SELECT value FROM json_each(?2)) ORDER BY parent_id, kind, score, child_key`;
const HOLDS = `SELECT job.id, held.expires_at FROM job
  JOIN deduplication AS held ON held.queue_id = job.queue_id AND held.id = job.deduplication_id AND held.job_id = job.id
  WHERE job.queue_id = ?1 AND job.id IN (SELECT value FROM json_each(?2)) AND (held.expires_at IS NULL OR held.expires_at > ?3)`;

const ENDS: ReadonlyMap<unknown, RecordChild['end']> = new Map([
  [CHILD_KINDS.unprocessed, 'pending'],
  [CHILD_KINDS.processed, 'done'],
  [CHILD_KINDS.ignored, 'ignored'],
  [CHILD_KINDS.failed, 'failed'],
]);

/** What stands about jobs in other tables than their own. */
interface Besides {
  readonly log: string[];
  readonly children: RecordChild[];
  hold: RecordHold | null;
}

/** Everything about these jobs, in the order of the ids. */
export function readRecords(queue: OpenQueue, ids: readonly string[], now: number): JobRecord[] {
  const wanted = JSON.stringify(ids);
  const rows = new Map(queue.connection.all(JOBS, queue.id, wanted).map((row) => [row[0] as string, row]));
  const besides = new Map<string, Besides>();
  for (const id of rows.keys()) besides.set(id, { log: [], children: [], hold: null });
  for (const [id, line] of queue.connection.all(LOGS, queue.id, wanted)) {
    besides.get(id as string)?.log.push(line as string);
  }
  for (const row of queue.connection.all(CHILDREN, queue.id, wanted)) {
    besides.get(row[0] as string)?.children.push(toChild(row));
  }
  for (const [id, until] of queue.connection.all(HOLDS, queue.id, wanted, now)) {
    const entry = besides.get(id as string);
    if (entry !== undefined) entry.hold = { until: until as number | null };
  }
  return [...new Set(ids)].flatMap((id) => {
    const row = rows.get(id);
    const entry = besides.get(id);
    return row === undefined || entry === undefined ? [] : toRecord(queue.name, row, entry);
  });
}

function toRecord(queue: string, row: SqlRow, { log, children, hold }: Besides): JobRecord[] {
  const state = STATE_NAMES.get(row[2]);
  if (state === undefined) return [];
  const rank = row[3] as number;
  const text = (column: number): string | null => row[column] as string | null;
  const number = (column: number): number => row[column] as number;
  const instant = (column: number): number | null => row[column] as number | null;
  const unique = text(20);
  return [
    {
      id: row[0] as string,
      task: row[1] as string,
      queue,
      place: PLACES[state],
      data: row[4] as string,
      options: JSON.parse(row[5] as string),
      priority: number(6),
      createdAt: number(7),
      delayMs: number(8),
      dueAt: state === 'delayed' ? dueAtOf(rank) : null,
      attemptsMade: number(9),
      attemptsStarted: number(10),
      workersLost: number(11),
      startedAt: instant(12),
      finishedAt: instant(13),
      worker: text(14),
      failure: text(15),
      stacks: parseTexts(text(16)),
      result: text(17),
      progress: text(18),
      deferredFailure: text(19),
      unique,
      schedulerId: text(21),
      parent: toParent(text(22), text(23)),
      children,
      log,
      ...(state !== 'active' && { rank }),
      ...(unique !== null && { hold }),
    },
  ];
}

function toParent(parent: string | null, key: string | null): RecordParent | null {
  if (key === null) return null;
  const fields = (parent === null ? {} : JSON.parse(parent)) as Readonly<Record<string, unknown>>;
  const place = splitJobKey(key);
  return { queue: nameOf(place.queueKey), id: place.id, onDead: readOnDead(fields, 'field') };
}

function toChild([, key, kind, value]: SqlRow): RecordChild {
  const { queueKey, id } = splitJobKey(key as string);
  return { queue: nameOf(queueKey), id, end: ENDS.get(kind) ?? 'pending', value: value as string | null };
}

/** Of a queue's key, `prefix:name`: a name has no colon. */
function nameOf(queueKey: string): string {
  return queueKey.slice(queueKey.lastIndexOf(':') + 1);
}
