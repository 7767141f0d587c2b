import type { JobRecord, RecordChild } from '../../../core/job-record.ts';
import { isUnfinished } from '../../record-values.ts';
import type { Query } from '../transaction.ts';
import type { JobName } from './locking.ts';
import { releaseParents } from './removing.ts';

/** Parents and children of jobs that are put back: either may come back before the other. */

/** What is there of the families of recorded jobs before they are put back. */
export interface Ties {
  /** undefined when the job is not there. */
  stateOf(job: JobName): string | undefined;
  /** What the parent knows of this child: `pending` or how it has ended; undefined when it does not know it. */
  linkOf(parent: JobName, childId: string): string | undefined;
}

const STATES_OF = `SELECT found.queue, found.id, found.state
  FROM (SELECT DISTINCT queue, id FROM unnest($1::text[], $2::text[]) AS wanted(queue, id) ORDER BY queue, id) AS wanted
  CROSS JOIN LATERAL (SELECT queue, id, state::text AS state FROM job
    WHERE job.queue = wanted.queue AND job.id = wanted.id FOR UPDATE) AS found`;
const LINKS_OF = `SELECT parent_queue, parent_id, child_id, status::text AS status FROM job_dependency
  WHERE child_queue = $1 AND child_id = ANY($2)`;

export async function readTies(query: Query, queue: string, records: readonly JobRecord[]): Promise<Ties> {
  const parents = records.flatMap(({ parent }) => parent ?? []);
  if (parents.length === 0) return { stateOf: () => undefined, linkOf: () => undefined };
  const states = await query<JobName & { readonly state: string }>(STATES_OF, [
    parents.map((parent) => parent.queue),
    parents.map(({ id }) => id),
  ]);
  const links = await query<Readonly<Record<'parent_queue' | 'parent_id' | 'child_id' | 'status', string>>>(LINKS_OF, [
    queue,
    records.filter(({ parent }) => parent !== null).map(({ id }) => id),
  ]);
  const byJob = new Map(states.map((job) => [toKey(job), job.state]));
  const byLink = new Map(
    links.map((link) => [toKey({ queue: link.parent_queue, id: link.parent_id }, link.child_id), link.status]),
  );
  return { stateOf: (job) => byJob.get(toKey(job)), linkOf: (parent, id) => byLink.get(toKey(parent, id)) };
}

function toKey({ queue, id }: JobName, ...more: string[]): string {
  return JSON.stringify([queue, id, ...more]);
}

const STATUSES: Readonly<Record<RecordChild['end'], string>> = {
  pending: 'pending',
  done: 'processed',
  ignored: 'ignored',
  failed: 'failed',
};

/** What an ended child gave is JSON, what another one failed with is text. */
const INSERT_CHILDREN = `INSERT INTO job_dependency (parent_queue, parent_id, child_queue, child_id, child_key, status, value)
  SELECT $1, parent, queue, id, queue || ':' || id, status::dep_status,
    CASE WHEN status = 'processed' THEN value::jsonb ELSE to_jsonb(value) END
  FROM json_to_recordset($2::json) AS child(parent text, queue text, id text, status text, value text)
  ON CONFLICT (parent_queue, parent_id, child_key) DO NOTHING`;

/** $2: children that have still to run, or are waited for in spite of being dead letters; $3: the first of these. */
const INSERT_LINKS = `INSERT INTO job_dependency (parent_queue, parent_id, child_queue, child_id, child_key)
  SELECT child.parent_queue, child.parent_id, child.queue, child.id, child.queue || ':' || child.id
  FROM job AS child CROSS JOIN LATERAL (
    SELECT 1 FROM job WHERE job.queue = child.parent_queue AND job.id = child.parent_id
      AND job.state::text = 'waiting-children' OFFSET 0) AS waiting
  WHERE child.queue = $1 AND child.id = ANY($2) AND child.parent_id IS NOT NULL
  ON CONFLICT (parent_queue, parent_id, child_key) DO UPDATE SET status = 'pending', value = NULL
  WHERE job_dependency.child_id = ANY($3)`;

/** Children that have ended for parents that take them to be out. $1: queue, $2: ids of parents or children. */
const ENDED = `SELECT link.parent_queue, link.parent_id, link.child_queue, link.child_id, child.state
  FROM (
    SELECT * FROM job_dependency WHERE parent_queue = $1 AND parent_id = ANY($2) AND status = 'pending'
    UNION
    SELECT * FROM job_dependency WHERE child_queue = $1 AND child_id = ANY($2) AND status = 'pending') AS link
  CROSS JOIN LATERAL (
    SELECT state::text AS state FROM job WHERE job.queue = link.child_queue AND job.id = link.child_id
      AND job.parent_queue = link.parent_queue AND job.parent_id = link.parent_id OFFSET 0) AS child
  WHERE child.state IN ('completed', 'failed')`;
const COMPLETE = `UPDATE job_dependency AS link SET status = 'processed', value = child.return_value
  FROM unnest($1::text[], $2::text[]) AS ended(queue, id)
  JOIN job AS child ON child.queue = ended.queue AND child.id = ended.id
  WHERE link.child_queue = ended.queue AND link.child_id = ended.id AND link.status = 'pending'`;
const COUNT = `UPDATE job SET pending_deps = (
    SELECT count(*) FROM job_dependency AS link
    WHERE link.parent_queue = job.queue AND link.parent_id = job.id AND link.status = 'pending')
  WHERE queue = ANY($1) AND id = ANY($2)`;
const FAIL = `SELECT handle_child_failure(child.queue, child.id, COALESCE(child.failed_reason, ''), $3)
  FROM unnest($1::text[], $2::text[]) AS dead(queue, id)
  JOIN job AS child ON child.queue = dead.queue AND child.id = dead.id`;
const COMPLETE_PARENTS = `SELECT queue, id FROM job WHERE queue = ANY($1) AND id = ANY($2) AND pending_deps = 0
  AND state::text = 'waiting-children'`;

/**
 * 1. Parents get back what they knew of their children.
 * 2. A parent that still waits counts a child that has still to run as out again.
 * 3. What has ended in the meantime is told to the parent as if it ended now.
 * 4. Parents that wait for nobody any more are let go.
 */
export async function joinFamilies(
  query: Query,
  queue: string,
  records: readonly JobRecord[],
  now: number,
): Promise<void> {
  const members = records.filter(
    ({ parent, children, place }) => parent !== null || children.length > 0 || place === 'blocked',
  );
  if (members.length === 0) return;
  const children = members.flatMap((record) =>
    record.children.map(({ queue: childQueue, id, end, value }) => ({
      parent: record.id,
      queue: childQueue,
      id,
      status: STATUSES[end],
      value,
    })),
  );
  await query(INSERT_CHILDREN, [queue, JSON.stringify(children)]);
  const unfinished = members.filter(isUnfinished).map(({ id }) => id);
  const waitedFor = members.filter(({ place, parent }) => place === 'dead' && parent?.onDead === null);
  await query(INSERT_LINKS, [queue, [...unfinished, ...waitedFor.map(({ id }) => id)], unfinished]);

  const ids = members.map(({ id }) => id);
  const ended = await query<Readonly<Record<'child_queue' | 'child_id' | 'state', string>>>(ENDED, [queue, ids]);
  const [completed, dead] = ['completed', 'failed'].map((state) => ended.filter((child) => child.state === state));
  await query(COMPLETE, toColumns(completed));
  const parents = members.flatMap(({ id, parent }) => [{ queue, id }, ...(parent === null ? [] : [parent])]);
  const columns = [[...new Set(parents.map((parent) => parent.queue))], [...new Set(parents.map(({ id }) => id))]];
  await query(COUNT, columns);
  if (dead !== undefined && dead.length > 0) await query(FAIL, [...toColumns(dead), now]);
  await releaseParents(query, await query<JobName>(COMPLETE_PARENTS, columns), now);
}

function toColumns(children: readonly Readonly<Record<'child_queue' | 'child_id', string>>[] = []): string[][] {
  return [children.map((child) => child.child_queue), children.map((child) => child.child_id)];
}
