import { type Finding, failed, ok, warning } from '../../core/checkup/finding.ts';
import { isOvergrown, type StrayKey } from '../../core/checkup/leftovers.ts';
import { EVENTS_BOUND, listSchedules, type ScheduleParts, toEventsBound } from '../checkup/schedules.ts';
import { type BrokerCheckup, LEFTOVERS_LISTED } from '../checkup-port.ts';

type Query = <Row>(text: string, values: unknown[]) => Promise<Row[]>;

export interface PostgresSettings {
  readonly version: string;
  readonly synchronous: string;
  readonly fsync: string;
  readonly isReplica: boolean;
  readonly connections: number;
  readonly maxConnections: number;
}

const SETTINGS = `SELECT current_setting('server_version') AS version, current_setting('synchronous_commit') AS synchronous,
  current_setting('fsync') AS fsync, pg_is_in_recovery() AS "isReplica",
  (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS "maxConnections"`;

/** A key that has an end ends by itself. */
const STRAY = `dedup.expire_at_ms IS NULL
  AND NOT EXISTS (SELECT 1 FROM job WHERE job.queue = dedup.queue AND job.id = dedup.job_id)`;

const EVENTS_AT_ONCE = 5000;
/** Close to the limit: a deploy that starts new workers before it stops the old ones needs as many again. */
const FULL_SHARE = 0.8;

export function createPostgresCheckup(query: Query, parts: ScheduleParts): BrokerCheckup {
  return {
    async checkSettings() {
      const [settings] = await query<PostgresSettings>(SETTINGS, []);
      return settings === undefined ? [] : checkPostgresSettings(settings);
    },
    async readTime() {
      const [row] = await query<{ now: number }>(
        'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now',
        [],
      );
      return row?.now ?? null;
    },
    async listLeftovers(names) {
      const queues = [];
      for (const queue of names) {
        const [strayKeys, [meta], schedules] = await Promise.all([
          query<StrayKey>(
            `SELECT dedup_id AS key, job_id AS holder FROM dedup WHERE queue = $1 AND ${STRAY} ORDER BY 1 LIMIT $2`,
            [queue, LEFTOVERS_LISTED],
          ),
          query<{ value: string }>('SELECT value FROM meta WHERE queue = $1 AND field = $2', [queue, EVENTS_BOUND]),
          listSchedules(queue, parts),
        ]);
        const bound = toEventsBound(meta?.value);
        const [events] = await query<{ length: number }>(
          'SELECT count(*)::int AS length FROM (SELECT 1 FROM event WHERE queue = $1 LIMIT $2) AS counted',
          [queue, bound * 100],
        );
        queues.push({ queue, strayKeys, orphans: [], events: { length: events?.length ?? 0, bound }, schedules });
      }
      return { queues, isWhole: true };
    },
    async removeLeftovers(leftovers) {
      const removed = { keys: 0, orphans: 0, events: 0 };
      for (const { queue, strayKeys, events } of leftovers) {
        const text = `DELETE FROM dedup USING unnest($2::text[], $3::text[]) AS wanted(key, holder)
          WHERE dedup.queue = $1 AND dedup.dedup_id = wanted.key AND dedup.job_id = wanted.holder AND ${STRAY} RETURNING 1`;
        const values = [queue, strayKeys.map(({ key }) => key), strayKeys.map(({ holder }) => holder)];
        if (strayKeys.length > 0) removed.keys += (await query(text, values)).length;
        if (isOvergrown(events)) removed.events += await trimEvents(query, queue, events.bound);
      }
      return removed;
    },
  };
}

/** In steps, so that no statement holds many rows; BullMQ cuts the log so too. */
async function trimEvents(query: Query, queue: string, bound: number): Promise<number> {
  // Under its own name, the text would be what the rows are sorted by.
  const [last] = await query<{ cut: string }>(
    'SELECT id::text AS cut FROM event WHERE queue = $1 ORDER BY id DESC OFFSET $2 LIMIT 1',
    [queue, bound],
  );
  if (last === undefined) return 0;
  let removed = 0;
  for (;;) {
    const rows = await query(
      `DELETE FROM event WHERE queue = $1 AND id IN (
         SELECT id FROM event WHERE queue = $1 AND id <= $2::bigint ORDER BY id LIMIT ${EVENTS_AT_ONCE}) RETURNING 1`,
      [queue, last.cut],
    );
    removed += rows.length;
    if (rows.length < EVENTS_AT_ONCE) return removed;
  }
}

/** What the settings of a PostgreSQL server mean for jobs. */
export function checkPostgresSettings(settings: PostgresSettings): Finding[] {
  const { synchronous, fsync, isReplica, connections, maxConnections } = settings;
  return [
    fsync === 'off'
      ? failed('durability', 'fsync is off: a crash of the machine may destroy the database', 'set fsync = on')
      : synchronous === 'off'
        ? warning(
            'durability',
            'synchronous_commit is off: a crash of the server loses the jobs of the last moments',
            'set synchronous_commit = on, at least for the role that tq connects as',
          )
        : ok('durability', `synchronous_commit is ${synchronous}`),
    connections >= maxConnections * FULL_SHARE
      ? warning(
          'connections',
          `${connections} of ${maxConnections} connections are used; a worker needs about 6 a queue`,
          'raise max_connections, or have workers serve fewer queues each',
        )
      : ok('connections', `${connections} of ${maxConnections} connections are used`),
    isReplica
      ? failed('role', 'the server is a replica: it takes no writes', 'use the URL of the primary')
      : ok('role', 'the server takes writes'),
  ];
}
