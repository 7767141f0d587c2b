import type pg from 'pg';
import { expect, test } from 'vitest';
import { createTransact } from '../../../../src/engine/broker/postgres/transaction.ts';

test('a transaction whose server goes away fails, and its connection goes back to no pool', async () => {
  const lost = new Error('terminating connection due to unexpected postmaster exit');
  const released: unknown[] = [];
  const client = {
    async query(text: string) {
      if (text === 'BEGIN') return { rows: [] };
      throw lost;
    },
    release: (error: unknown) => released.push(error),
  };
  const transact = createTransact(async () => client as unknown as pg.PoolClient);
  await expect(transact((query) => query('SELECT 1', []))).rejects.toBe(lost);
  expect(released).toEqual([lost]);
});
