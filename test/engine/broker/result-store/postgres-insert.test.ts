import { expect, test } from 'vitest';
import { testServers } from '../../../support/brokers.ts';
import { createPostgresDatabase } from '../../../support/postgres-database.ts';
import { query } from '../../../support/postgres-server.ts';
import { createRow, openMigrated } from './result-stores.ts';

const { postgresUrl } = testServers();

test.skipIf(!postgresUrl)(
  'rows are written with a prepared statement, and without one from when the connection does not know it',
  async () => {
    const { url } = await createPostgresDatabase(postgresUrl as string);
    const store = await openMigrated(url);
    // Each write notes what its connection has prepared, and makes it forget that, as another connection behind a pooler would.
    await query(
      url,
      `CREATE TABLE tq.noted (id serial, prepared bigint);
       CREATE FUNCTION tq.forget() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         INSERT INTO tq.noted (prepared) SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'tq%';
         DEALLOCATE ALL;
         RETURN NULL;
       END $$;
       CREATE TRIGGER forget AFTER INSERT ON tq.results EXECUTE FUNCTION tq.forget();`,
    );
    for (const id of ['a', 'b', 'c']) await store.write([createRow({ id })]);
    const { rows } = await query(url, 'SELECT prepared FROM tq.noted ORDER BY id');
    expect(rows.map(({ prepared }) => Number(prepared))).toEqual([1, 0, 0]);
    const { rows: stored } = await query(url, 'SELECT id FROM tq.results ORDER BY id');
    expect(stored.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    await store.close();
  },
);
