import { formatFiringId } from '../../core/schedule/firing.ts';
import type { NextFiring, SchedulerRecord, SchedulerTemplate, ScheduleStore } from '../schedule-store.ts';
import { gather } from './gathering.ts';
import type { Query, Transact } from './transaction.ts';

const READ = `SELECT wanted.id, scheduler.next_run_ms AS due, scheduler.name, scheduler.iteration_count AS made, scheduler.pattern,
    scheduler.every_ms AS every, scheduler.template_opts::text AS opts, job.state::text AS state
  FROM unnest($2::text[]) AS wanted(id)
  JOIN scheduler ON scheduler.queue = $1 AND scheduler.scheduler_id = wanted.id
  LEFT JOIN job ON job.queue = $1 AND job.id = 'repeat:' || wanted.id || ':' || scheduler.next_run_ms`;

/**
 * BullMQ's function reads the scheduler without holding it, so of two callers both would add a firing. Here its row is held first; the
 * function, which begins after that, sees what the other one has done. No row: there is no such scheduler, or another firing is ahead.
 */
const STEP = `SELECT update_job_scheduler_next_millis($1, held.scheduler_id, $4, '{}'::jsonb, $5::jsonb, $6, $7) AS job_id
  FROM (SELECT scheduler_id FROM scheduler WHERE queue = $1 AND scheduler_id = $2 AND next_run_ms = $3 FOR UPDATE) AS held`;

/**
 * A new scheduler: whoever inserts the same one waits for the end of this statement. BullMQ's function finds the row that was inserted
 * just now, and fills it.
 */
const ADD_NEW = `WITH begun AS (
    INSERT INTO scheduler (queue, scheduler_id, name, next_run_ms, iteration_count) VALUES ($1, $2, $9, 0, 1)
    ON CONFLICT DO NOTHING RETURNING scheduler_id)
  SELECT added.job_id FROM begun CROSS JOIN LATERAL
    add_job_scheduler($1, begun.scheduler_id, $3, $4::jsonb, $5::jsonb, $6::jsonb, $7::jsonb, $8, NULL) AS added`;

/** Many of them, in one order for all, so that two who add the same ones wait for each other and do not lock each other out. */
const ADD_ALL = `WITH wanted AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[])
      AS each(queue, id, due, data, opts, kept, next_opts, now, name)),
  begun AS (
    INSERT INTO scheduler (queue, scheduler_id, name, next_run_ms, iteration_count)
    SELECT queue, id, name, 0, 1 FROM wanted ORDER BY queue, id
    ON CONFLICT DO NOTHING RETURNING queue, scheduler_id AS id)
  SELECT queue, id FROM begun JOIN wanted USING (queue, id) CROSS JOIN LATERAL
    add_job_scheduler(queue, id, due, data::jsonb, opts::jsonb, kept::jsonb, next_opts::jsonb, now, NULL) AS added`;

const HOLD = 'SELECT 1 FROM scheduler WHERE queue = $1 AND scheduler_id = $2 AND next_run_ms = $3 FOR UPDATE';

/** The firing ahead, held so that no worker takes it meanwhile, and the one that is to come. */
const HOLD_JOBS = 'SELECT id, state::text AS state FROM job WHERE queue = $1 AND id IN ($2, $3) ORDER BY id FOR UPDATE';

const RETEMPLATE = `UPDATE scheduler SET name = $3, pattern = $4, tz = $5, template_data = $6::jsonb, template_opts = $7::jsonb,
    every_ms = NULL, offset_ms = NULL, start_date_ms = NULL, end_date_ms = NULL, limit_count = NULL
  WHERE queue = $1 AND scheduler_id = $2`;

const ADD = `SELECT job_id FROM add_job_scheduler($1, $2, $3, $4::jsonb, $5::jsonb, $6::jsonb, $7::jsonb, $8, NULL)`;
const COUNT = 'UPDATE scheduler SET iteration_count = $3 WHERE queue = $1 AND scheduler_id = $2';

const REMOVE = `WITH gone AS (DELETE FROM scheduler WHERE queue = $1 AND scheduler_id = $2 RETURNING next_run_ms),
  dropped AS (
    DELETE FROM job USING gone WHERE job.queue = $1 AND job.id = 'repeat:' || $2 || ':' || gone.next_run_ms
      AND job.state::text = 'delayed' AND gone.next_run_ms > $3 RETURNING job.id)
  SELECT (SELECT count(*) FROM gone)::int AS removed,
    (SELECT count(publish_event($1, 'removed', jsonb_build_object('jobId', id, 'prev', 'delayed'))) FROM dropped) AS told`;

/** What a function of BullMQ's backend raises when there is a job of that id. */
const REFUSED = 'BM001';

export function createPostgresSchedules(query: Query, transact: Transact): ScheduleStore {
  const addNew = gather<unknown[], Answer>({
    one: async (values) => ((await query(ADD_NEW, values)).length === 0 ? 'moved' : 'put'),
    async all(items) {
      const columns = (items[0] ?? []).map((_, at) => items.map((values) => values[at]));
      const rows = await query<{ queue: string; id: string }>(ADD_ALL, columns);
      const added = new Set(rows.map(({ queue, id }) => JSON.stringify([queue, id])));
      return items.map(([queue, id]) => (added.has(JSON.stringify([queue, id])) ? 'put' : 'moved'));
    },
  });

  return {
    async read(queue, ids) {
      // PostgreSQL stores no text with a NUL, so no scheduler has such an id.
      const rows = await query<Row>(READ, [queue, ids.filter((id) => !id.includes('\0'))]);
      const found = new Map(rows.map((row) => [row.id, toRecord(row)]));
      return ids.map((id) => found.get(id) ?? null);
    },
    async put(queue, firing, now) {
      const { from, template } = firing;
      if (template === undefined) return await step(query, queue, firing, now);
      try {
        if (from !== null) return await transact((each) => replace(each, queue, { ...firing, from, template }, now));
        return await addNew([...toValues(queue, firing, template, now), template.name]);
      } catch (error) {
        if (error === TAKEN || (error as { code?: unknown }).code === REFUSED) return 'taken';
        throw error;
      }
    },
    async remove(queue, id, now) {
      const [row] = await query<{ removed: number }>(REMOVE, [queue, id, now]);
      return row?.removed === 1;
    },
  };
}

interface Row {
  readonly id: string;
  readonly due: string;
  readonly name: string | null;
  readonly made: number | null;
  readonly pattern: string | null;
  readonly every: string | null;
  readonly opts: string | null;
  readonly state: string | null;
}

function toRecord({ due, name, made, pattern, every, opts, state }: Row): SchedulerRecord {
  return { dueAt: Number(due), state, name: name ?? '', made: made ?? 1, pattern, every, opts };
}

type Answer = Awaited<ReturnType<ScheduleStore['put']>>;

/** Undoes the transaction in which it is thrown. */
const TAKEN = new Error('there is a job of that id');

async function step(query: Query, queue: string, { id, from, to, opts }: NextFiring, now: number): Promise<Answer> {
  const producer = formatFiringId(id, from ?? 0);
  const [row] = await query<{ job_id: string | null }>(STEP, [
    ...[queue, id, from, to, JSON.stringify(opts), now, producer],
  ]);
  if (row === undefined) return 'moved';
  return row.job_id === null ? 'taken' : 'put';
}

/** As BullMQ's function takes it. */
function toValues(queue: string, { id, to, opts }: NextFiring, template: SchedulerTemplate, now: number): unknown[] {
  const { name, pattern, tz, data } = template;
  const kept = JSON.stringify({ name, pattern, tz });
  return [queue, id, to, data, JSON.stringify(template.opts), kept, JSON.stringify(opts), now];
}

async function replace(
  query: Query,
  queue: string,
  firing: NextFiring & { readonly from: number; readonly template: SchedulerTemplate },
  now: number,
): Promise<Answer> {
  const { id, from, to, made, replaces, template } = firing;
  const held = await query(HOLD, [queue, id, from]);
  if (held.length === 0) return 'moved';
  if (!replaces) {
    const { name, pattern, tz, data, opts } = template;
    await query(RETEMPLATE, [queue, id, name, pattern, tz, data, JSON.stringify(opts)]);
    if ((await step(query, queue, firing, now)) !== 'put') throw TAKEN;
    return 'put';
  }
  // BullMQ's function would overwrite a job of the new id, for it has taken the one ahead away.
  const [before, after] = [formatFiringId(id, from), formatFiringId(id, to)];
  const jobs = await query<{ id: string; state: string }>(HOLD_JOBS, [queue, before, after]);
  if (jobs.some((job) => job.id === before && job.state !== 'delayed')) return 'moved';
  if (before !== after && jobs.some((job) => job.id === after)) return 'taken';
  await query(ADD, toValues(queue, firing, template, now));
  await query(COUNT, [queue, id, made]);
  return 'put';
}
