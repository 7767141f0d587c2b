/** The tables of the state beyond jobs. A version is the number of the write, over all keys, so it never comes again. */
export const STATE_TABLES = `
  CREATE TABLE state (
    prefix TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    version INTEGER NOT NULL,
    expires_at REAL,
    PRIMARY KEY (prefix, key)
  ) WITHOUT ROWID;
  CREATE TABLE state_version (last INTEGER NOT NULL);
  INSERT INTO state_version VALUES (0);
  CREATE TABLE counter (
    prefix TEXT NOT NULL,
    key TEXT NOT NULL,
    total REAL NOT NULL,
    expires_at REAL NOT NULL,
    PRIMARY KEY (prefix, key)
  ) WITHOUT ROWID;
  CREATE TABLE lease (
    prefix TEXT NOT NULL,
    key TEXT NOT NULL,
    holder TEXT NOT NULL,
    expires_at REAL NOT NULL,
    PRIMARY KEY (prefix, key)
  ) WITHOUT ROWID;
`;
