import { afterEach } from 'vitest';
import { createSqliteUrl } from '../../support/brokers.ts';
import { createLiveBench, type LiveBench } from './live-app.ts';

/** For a file of tests: makes benches, each on a SQLite file of its own, and closes them after each test. */
export function prepareSqliteBenches(): () => LiveBench {
  const benches: LiveBench[] = [];
  afterEach(async () => {
    for (const bench of benches.splice(0)) await bench.close();
  });
  return () => {
    const bench = createLiveBench(createSqliteUrl());
    benches.push(bench);
    return bench;
  };
}
