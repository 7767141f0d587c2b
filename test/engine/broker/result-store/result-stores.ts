import { join } from 'node:path';
import { openResultStore } from '../../../../src/engine/broker/result-store/open-result-store.ts';
import type { NewResultRow, ResultStore } from '../../../../src/engine/broker/result-store/result-port.ts';
import type { Clock } from '../../../../src/engine/core/clock.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { testServers } from '../../../support/brokers.ts';
import { createPostgresDatabase } from '../../../support/postgres-database.ts';
import { createFolderOfRun } from '../../../support/run-folder.ts';

export interface ResultStoreUnderTest {
  readonly name: 'postgres' | 'sqlite';
  /** The URL of a store that nobody else uses; its tables are not made. */
  createUrl(): Promise<string>;
}

/** The kinds of result stores that this machine offers. */
export function resultStoresUnderTest(): ResultStoreUnderTest[] {
  const { postgresUrl } = testServers();
  const stores: ResultStoreUnderTest[] = [
    { name: 'sqlite', createUrl: async () => `sqlite:${join(createFolderOfRun('results'), 'results.db')}` },
  ];
  if (postgresUrl) {
    stores.push({ name: 'postgres', createUrl: async () => (await createPostgresDatabase(postgresUrl)).url });
  }
  return stores;
}

/** Opens a store with its tables made. */
export async function openMigrated(url: string, clock: Clock = systemClock): Promise<ResultStore> {
  const fresh = await openResultStore(url, { clock, skipSchema: true });
  await fresh.migrate();
  await fresh.close();
  return await openResultStore(url, { clock });
}

/** The instant around which the rows of these tests were written. */
export const AT = Date.parse('2031-05-01T12:00:00Z');

/** A row of a job that has succeeded; what is not given is the same for all. */
export function createRow(given: Partial<NewResultRow> = {}): NewResultRow {
  const id = given.id ?? 'job-1';
  return {
    id,
    queue: 'default',
    task: 'email.send',
    state: 'SUCCESS',
    argsJson: '[{"to":"a@b.c"}]',
    resultJson: '{"sent":1}',
    progressJson: null,
    error: null,
    reason: null,
    attempts: 1,
    createdAt: AT - 2000,
    startedAt: AT - 1000,
    finishedAt: AT,
    durationMs: 1000,
    worker: 'tq@box',
    requestId: id,
    parentId: null,
    rootId: id,
    workflowId: null,
    expiresAt: null,
    ...given,
  };
}
