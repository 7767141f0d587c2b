import type pg from 'pg';

export type Query = <Row>(text: string, values: unknown[]) => Promise<Row[]>;

/** Runs statements in one transaction. */
export type Transact = <Result>(run: (query: Query) => Promise<Result>) => Promise<Result>;

/** A deadlock, or a transaction that could not be put in line with others: nothing was done, and it may be done again. */
const AGAIN = new Set(['40P01', '40001']);
const TIMES = 5;

/** @param connect takes a connection of a pool */
export function createTransact(connect: () => Promise<pg.PoolClient>): Transact {
  return async (run) => {
    for (let time = 1; ; time += 1) {
      try {
        return await runOnce(await connect(), run);
      } catch (error) {
        if (time === TIMES || !AGAIN.has(String((error as { code?: unknown }).code))) throw error;
      }
    }
  };
}

async function runOnce<Result>(client: pg.PoolClient, run: (query: Query) => Promise<Result>): Promise<Result> {
  const query: Query = async <Row>(text: string, values: unknown[]) => (await client.query(text, values)).rows as Row[];
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await run(query);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
