import { EventEmitter } from 'node:events';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { createTransact } from '../../../../src/engine/broker/postgres/transaction.ts';

test('a server that says its last word during a transaction fails it, and ends no process', async () => {
  const lost = new Error('terminating connection due to unexpected postmaster exit');
  const released: unknown[] = [];
  const client = Object.assign(new EventEmitter(), {
    async query(text: string) {
      if (text === 'BEGIN') return { rows: [] };
      // As the driver does it: the event first, then whoever waits.
      if (text === 'SELECT 1') client.emit('error', lost);
      throw lost;
    },
    release: (error: unknown) => released.push(error),
  });
  const transact = createTransact(async () => client as unknown as pg.PoolClient);
  await expect(transact((query) => query('SELECT 1', []))).rejects.toBe(lost);
  expect(released).toEqual([lost]);
  expect(client.listenerCount('error')).toBe(0);
});
