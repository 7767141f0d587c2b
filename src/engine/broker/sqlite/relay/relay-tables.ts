/**
 * The tables of BullMQ's relay: nodes that publish to each other's inboxes.
 *
 * - A namespace is one row, made by its first use and kept: its counter numbers the messages, and a node that registers
 *   again goes on reading where it stopped, so numbers must not begin anew.
 * - A node's row is one registration of it. A node that is removed is out of every route at once (`removed_at`), but its
 *   subscriptions and its inbox are pruned in steps; the row goes with the last of them, and its id is free again then.
 * - A pattern is one row however many subscribe to it, and goes with its last subscription. Those with wildcards have an
 *   index of their own: a publish walks down it (pattern-index.ts), and must not pass the exact topics on the way.
 * - An inbox is ordered by message number, which is also the position that a reader passes on.
 *
 * Leases and expiries are instants, epoch ms. What is over counts for nothing from that instant on, wherever it still lies.
 */
export const RELAY_TABLES = `
  CREATE TABLE relay_namespace (
    namespace_id INTEGER PRIMARY KEY,
    prefix TEXT NOT NULL,
    name TEXT NOT NULL,
    last_mid INTEGER NOT NULL,
    UNIQUE (prefix, name)
  );
  CREATE TABLE relay_node (
    node_no INTEGER PRIMARY KEY,
    namespace_id INTEGER NOT NULL,
    id TEXT NOT NULL,
    info TEXT NOT NULL,
    registered_at REAL NOT NULL,
    heartbeat_at REAL NOT NULL,
    lease_until REAL NOT NULL,
    removed_at REAL,
    inbox_max REAL NOT NULL,
    inbox_length INTEGER NOT NULL DEFAULT 0,
    read_until INTEGER NOT NULL DEFAULT 0,
    backlog INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0,
    UNIQUE (namespace_id, id)
  );
  CREATE INDEX relay_node_by_registration ON relay_node (namespace_id, registered_at, id) WHERE removed_at IS NULL;
  CREATE INDEX relay_node_by_lease ON relay_node (lease_until) WHERE removed_at IS NULL;
  CREATE INDEX relay_node_removed ON relay_node (namespace_id, removed_at) WHERE removed_at IS NOT NULL;
  CREATE TABLE relay_pattern (
    pattern_no INTEGER PRIMARY KEY,
    namespace_id INTEGER NOT NULL,
    pattern TEXT NOT NULL,
    has_wildcard INTEGER NOT NULL,
    UNIQUE (namespace_id, pattern)
  );
  CREATE INDEX relay_pattern_with_wildcard ON relay_pattern (namespace_id, pattern) WHERE has_wildcard = 1;
  CREATE TABLE relay_subscription (
    pattern_no INTEGER NOT NULL,
    node_no INTEGER NOT NULL,
    endpoint_id TEXT NOT NULL,
    PRIMARY KEY (pattern_no, node_no, endpoint_id)
  ) WITHOUT ROWID;
  CREATE INDEX relay_subscription_by_node ON relay_subscription (node_no, endpoint_id);
  CREATE TABLE relay_inbox (
    node_no INTEGER NOT NULL,
    mid INTEGER NOT NULL,
    topic TEXT NOT NULL,
    ts REAL NOT NULL,
    endpoints TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (node_no, mid)
  ) WITHOUT ROWID;
  CREATE TABLE relay_retained (
    namespace_id INTEGER NOT NULL,
    topic TEXT NOT NULL,
    mid INTEGER NOT NULL,
    ts REAL NOT NULL,
    expires_at REAL NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (namespace_id, topic)
  ) WITHOUT ROWID;
  CREATE INDEX relay_retained_by_expiry ON relay_retained (namespace_id, expires_at, topic);
`;
