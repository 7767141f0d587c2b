import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import { BULK_PAGE } from '../../../../src/engine/broker/bulk-port.ts';
import type { Broker } from '../../../../src/engine/broker/port.ts';
import { createFolderOfRun } from '../../../support/run-folder.ts';
import { newJobs, openWorkshop } from '../workshop.ts';

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function open(): Promise<{ broker: Broker; countCommits: () => number }> {
  const path = join(createFolderOfRun('bulk'), 'jobs.db');
  const workshop = await openWorkshop('sqlite', `sqlite:${path}`);
  await workshop.broker.queue('mail').addBulk(newJobs(BULK_PAGE));
  const onlooker = new DatabaseSync(path);
  ending.push(
    () => workshop.close(),
    () => onlooker.close(),
  );
  const version = onlooker.prepare('PRAGMA data_version');
  return { broker: workshop.broker, countCommits: () => version.get()?.data_version as number };
}

test('a page is removed in several transactions, between which others get the write lock', async () => {
  const { broker, countCommits } = await open();
  const seen = new Set([countCommits()]);
  let isOver = false;
  const watch = (): void => {
    if (isOver) return;
    seen.add(countCommits());
    setImmediate(watch);
  };
  watch();
  const { bulk } = broker.queue('mail');
  const ids: string[] = [];
  for await (const page of bulk.scanIds({ places: ['waiting'] })) ids.push(...page);
  const removed = await bulk.remove(ids, ['waiting']);
  isOver = true;
  seen.add(countCommits());
  expect(removed).toEqual(ids);
  expect(removed).toHaveLength(BULK_PAGE);
  expect(seen.size).toBeGreaterThan(BULK_PAGE / 100);
});
