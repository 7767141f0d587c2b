import { DatabaseSync } from 'node:sqlite';

/** What holds in a database file after every commit, as queries for what breaks it. */
const RULES: Readonly<Record<string, string>> = {
  'a job has one row': 'SELECT queue_id, id, count(*) AS rows FROM job GROUP BY queue_id, id HAVING count(*) > 1',
  'a job is in a known state': 'SELECT queue_id, id, state FROM job WHERE state NOT BETWEEN 1 AND 7',
  'a job belongs to a queue': 'SELECT id FROM job WHERE queue_id NOT IN (SELECT queue_id FROM queue)',
  'the counters are the counts': `SELECT queue.name, stored.key AS state, stored.value AS counter, count(job.seq) AS jobs
    FROM queue, json_each(json_array(wait, active, prioritized, "delayed", completed, failed, waiting_children)) AS stored
    LEFT JOIN job ON job.queue_id = queue.queue_id AND job.state = stored.key + 1
    GROUP BY queue.queue_id, stored.key HAVING counter <> jobs`,
  'no place in a list is taken twice': `SELECT queue_id, state, rank, count(*) AS jobs FROM job
    WHERE state IN (1, 2) GROUP BY queue_id, state, rank HAVING count(*) > 1`,
  'ranks lie within the ends of the list': `SELECT job.id, rank, head, tail FROM job JOIN queue USING (queue_id)
    WHERE state IN (1, 2) AND rank NOT BETWEEN head AND tail`,
  'a job has a lock while it runs, and only then': `SELECT id, state, lock_token FROM job
    WHERE (state = 2) <> (lock_token IS NOT NULL)`,
  'a dependency has its parent': `SELECT parent_id, child_key FROM dependency
    WHERE NOT EXISTS (SELECT 1 FROM job WHERE job.queue_id = dependency.queue_id AND job.id = parent_id)`,
  'a child that is out has not ended': `SELECT parent_id, child_key, child.state FROM dependency
    JOIN queue ON substr(child_key, 1, length(prefix) + length(queue.name) + 2) = prefix || ':' || queue.name || ':'
    LEFT JOIN job AS child ON child.queue_id = queue.queue_id
      AND child.id = substr(child_key, length(prefix) + length(queue.name) + 3)
    WHERE kind = 0 AND (child.state IS NULL OR child.state IN (5, 6))`,
  'a parent that waits for children has one that is out': `SELECT id FROM job WHERE state = 7 AND NOT EXISTS
    (SELECT 1 FROM dependency WHERE dependency.queue_id = job.queue_id AND parent_id = id AND kind = 0)`,
  'a log line has its job': `SELECT job_id, line_no FROM log
    WHERE NOT EXISTS (SELECT 1 FROM job WHERE job.queue_id = log.queue_id AND job.id = log.job_id)`,
  'a hold without a time limit has its job': `SELECT id, job_id FROM deduplication WHERE expires_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM job WHERE job.queue_id = deduplication.queue_id AND job.id = deduplication.job_id)`,
  'the event counter is the sum of the chunks': `SELECT name, event_count, coalesce(sum(count), 0) AS events FROM queue
    LEFT JOIN event USING (queue_id) GROUP BY queue.queue_id HAVING event_count <> events`,
  'an event chunk has as many events as it says': 'SELECT at, seq FROM event WHERE count <> json_array_length(body)',
  'no event is behind the end of the log': `SELECT name, at, seq FROM event JOIN queue USING (queue_id)
    WHERE (at, seq + count - 1) > (event_at, event_seq)`,
};

/**
 * Checks a database file from outside, with nothing of the backend.
 *
 * @returns one line for each fault; none for a file that is whole
 */
export function auditDatabase(path: string): string[] {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  try {
    const integrity = database.prepare('PRAGMA integrity_check').all();
    const faults = integrity.flatMap(({ integrity_check: text }) => (text === 'ok' ? [] : [`integrity: ${text}`]));
    for (const [rule, sql] of Object.entries(RULES)) {
      for (const row of database.prepare(`${sql} LIMIT 5`).all()) faults.push(`${rule}: ${JSON.stringify(row)}`);
    }
    return faults;
  } finally {
    database.close();
  }
}

export interface StoredState {
  readonly id: string;
  readonly state: number;
}

/** Every job of a file with the code of its state. */
export function readStates(path: string): Map<string, number> {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  try {
    const rows = database.prepare('SELECT id, state FROM job').all() as unknown as StoredState[];
    return new Map(rows.map(({ id, state }) => [id, state]));
  } finally {
    database.close();
  }
}
