import { RELAY_TABLES } from './relay/relay-tables.ts';
import { STATE_TABLES } from './state-tables.ts';

/**
 * The tables of a database file, and how older ones become newer ones.
 *
 * - A job is one row of `job`. Its place (`state`, `rank`) is part of that row, so it can never be in two states.
 * - `job_by_state` is the order of every list: a queue's jobs of one state by rank. What the rank is depends on the state:
 *   a position (wait, active), priority and arrival (prioritized), due time and arrival (delayed), an instant (the rest).
 * - Counters that would cost a scan (jobs per state, length of the event log) stand in the row of the queue.
 * - Events are stored in chunks: the events of one transaction in one row, as Redis keeps its streams in nodes.
 *
 * Numbers that a caller chooses are REAL: Node refuses to read an INTEGER beyond 2^53, and one such row would block its queue.
 *
 * The version is SQLite's `user_version`. A migration is one entry here, run in one transaction, forward only.
 */

/** "tq" and a 1, as SQLite's application_id: marks the file as ours. */
export const APPLICATION_ID = 0x74_71_00_01;

/** The codes of `job.state`. They are stored: a number never gets another meaning. */
export const STATE_CODES = {
  wait: 1,
  active: 2,
  prioritized: 3,
  delayed: 4,
  completed: 5,
  failed: 6,
  'waiting-children': 7,
} as const;

export type State = keyof typeof STATE_CODES;

/** The states by the codes that a row has. */
export const STATE_NAMES: ReadonlyMap<unknown, State> = new Map(
  Object.entries(STATE_CODES).map(([state, code]) => [code, state as State]),
);

/** The codes of `dependency.kind`: what became of a child. */
export const CHILD_KINDS = { unprocessed: 0, processed: 1, ignored: 2, failed: 3 } as const;

export type ChildKind = keyof typeof CHILD_KINDS;

export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE queue (
    queue_id INTEGER PRIMARY KEY,
    prefix TEXT NOT NULL,
    name TEXT NOT NULL,
    jobs_added INTEGER NOT NULL DEFAULT 0,
    head INTEGER NOT NULL DEFAULT 0,
    tail INTEGER NOT NULL DEFAULT 0,
    priority_counter INTEGER NOT NULL DEFAULT 0,
    wait INTEGER NOT NULL DEFAULT 0,
    active INTEGER NOT NULL DEFAULT 0,
    prioritized INTEGER NOT NULL DEFAULT 0,
    "delayed" INTEGER NOT NULL DEFAULT 0,
    completed INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    waiting_children INTEGER NOT NULL DEFAULT 0,
    limiter_count REAL NOT NULL DEFAULT 0,
    limiter_until REAL NOT NULL DEFAULT 0,
    stalled_check_until REAL NOT NULL DEFAULT 0,
    event_at INTEGER NOT NULL DEFAULT 0,
    event_seq INTEGER NOT NULL DEFAULT 0,
    event_count INTEGER NOT NULL DEFAULT 0,
    UNIQUE (prefix, name)
  );
  CREATE TABLE meta (
    queue_id INTEGER NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (queue_id, field)
  ) WITHOUT ROWID;
  CREATE TABLE job (
    seq INTEGER PRIMARY KEY,
    queue_id INTEGER NOT NULL,
    id TEXT NOT NULL,
    state INTEGER NOT NULL,
    rank REAL NOT NULL,
    lock_token TEXT,
    lock_until REAL,
    stalled_mark REAL NOT NULL DEFAULT 0,
    timestamp REAL NOT NULL,
    delay REAL NOT NULL,
    priority REAL NOT NULL,
    attempts_made INTEGER NOT NULL DEFAULT 0,
    attempts_started INTEGER NOT NULL DEFAULT 0,
    stalled_count INTEGER NOT NULL DEFAULT 0,
    processed_on REAL,
    finished_on REAL,
    processed_by TEXT,
    parent_key TEXT,
    parent TEXT,
    scheduler_id TEXT,
    deduplication_id TEXT,
    deferred_failure TEXT,
    failed_reason TEXT,
    progress TEXT,
    name TEXT NOT NULL,
    opts TEXT NOT NULL,
    stacktrace TEXT,
    return_value TEXT,
    data TEXT NOT NULL
  );
  CREATE UNIQUE INDEX job_by_id ON job (queue_id, id);
  CREATE INDEX job_by_state ON job (queue_id, state, rank);
  CREATE TABLE log (
    queue_id INTEGER NOT NULL,
    job_id TEXT NOT NULL,
    line_no INTEGER NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (queue_id, job_id, line_no)
  ) WITHOUT ROWID;
  CREATE TABLE dependency (
    queue_id INTEGER NOT NULL,
    parent_id TEXT NOT NULL,
    kind INTEGER NOT NULL,
    child_key TEXT NOT NULL,
    value TEXT,
    score REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (queue_id, parent_id, kind, child_key)
  ) WITHOUT ROWID;
  CREATE TABLE deduplication (
    queue_id INTEGER NOT NULL,
    id TEXT NOT NULL,
    job_id TEXT NOT NULL,
    expires_at REAL,
    PRIMARY KEY (queue_id, id)
  ) WITHOUT ROWID;
  CREATE INDEX deduplication_by_expiry ON deduplication (queue_id, expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE deduplicated_next (
    queue_id INTEGER NOT NULL,
    id TEXT NOT NULL,
    job TEXT NOT NULL,
    PRIMARY KEY (queue_id, id)
  ) WITHOUT ROWID;
  CREATE TABLE scheduler (
    queue_id INTEGER NOT NULL,
    id TEXT NOT NULL,
    next_at REAL NOT NULL,
    fields TEXT NOT NULL,
    PRIMARY KEY (queue_id, id)
  ) WITHOUT ROWID;
  CREATE INDEX scheduler_by_next ON scheduler (queue_id, next_at, id);
  CREATE TABLE event (
    queue_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    count INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (queue_id, at, seq)
  ) WITHOUT ROWID;
  CREATE TABLE metric (
    queue_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    count INTEGER NOT NULL,
    previous_at INTEGER NOT NULL,
    previous_count INTEGER NOT NULL,
    PRIMARY KEY (queue_id, kind)
  ) WITHOUT ROWID;
  CREATE TABLE metric_point (
    queue_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    point_no INTEGER NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (queue_id, kind, point_no)
  ) WITHOUT ROWID;
  ${STATE_TABLES}
  CREATE TABLE client (
    client_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    connected_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
  );
  ${RELAY_TABLES}
  `,
];

export const LATEST_VERSION = MIGRATIONS.length;
