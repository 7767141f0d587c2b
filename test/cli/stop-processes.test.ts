import { afterEach, expect, test } from 'vitest';
import { openBroker } from '../../src/engine/broker/open-broker.ts';
import { systemClock } from '../../src/engine/runtime/system-clock.ts';
import { listBundles } from '../../src/ops/undo/bundle-folder.ts';
import { newJobs } from '../engine/broker/workshop.ts';
import { createUndoDir } from '../ops/undo/undoable-broker.ts';
import { createSqliteUrl } from '../support/brokers.ts';
import { type RunningTq, runTq, startTq } from '../support/tq-command.ts';
import { waitFor } from '../support/wait-for.ts';

const JOBS = 12_000;
let running: RunningTq | undefined;
afterEach(() => running?.signal('SIGKILL'));

async function startPurge() {
  const url = createSqliteUrl();
  const broker = await openBroker(url, { clock: systemClock });
  const jobs = newJobs(JOBS, { createdAt: Date.now() - 1000 });
  for (let from = 0; from < JOBS; from += 1000) await broker.queue('mail').addBulk(jobs.slice(from, from + 1000));
  await broker.close();
  const env = { TQ_BROKER_URL: url, TQ_UNDO_DIR: createUndoDir() };
  const tq = await startTq(['purge', '--all', '--yes', '--json'], { env });
  running = tq;
  const isUnderWay = async () => ((await listBundles(env.TQ_UNDO_DIR))[0]?.bytes ?? 0) > 20_000;
  await waitFor('some jobs to be kept', isUnderWay, { everyMs: 2 });
  return { tq, env };
}

const readTotal = (text: string) => (JSON.parse(text) as { total: number }).total;

test('Ctrl-C stops an operation between two pages; the same command does the rest, and both can be undone', async () => {
  const { tq, env } = await startPurge();
  tq.signal('SIGINT');
  expect(await tq.exit).toMatchObject({ exitCode: 1 });
  const total = readTotal(tq.stdout);
  expect(total).toBeGreaterThan(0);
  expect(total).toBeLessThan(JOBS);
  expect(tq.stderr).toContain(`stopped after ${total} of ${JOBS} jobs; the same command goes on with the rest\n`);
  const rest = await runTq(['purge', '--all', '--yes', '--json'], { env });
  expect({ exitCode: rest.exitCode, total: readTotal(rest.stdout) }).toEqual({ exitCode: 0, total: JOBS - total });
  const audit = await runTq(['audit', '--json'], { env });
  expect(audit.json()).toMatchObject([
    { end: 'done', changed: JOBS - total },
    { end: 'stopped', changed: total },
  ]);
});

test('an operation that is killed has lost nothing: what it removed is in its bundle', async () => {
  const { tq, env } = await startPurge();
  tq.signal('SIGKILL');
  await tq.exit;
  const [{ id } = { id: '' }] = (await runTq(['undo', '--json'], { env })).json() as { id: string }[];
  const undone = await runTq(['undo', id, '--yes', '--json'], { env });
  expect(undone.json()).toMatchObject({ undone: id, isCut: true });
  const queues = await runTq(['inspect', 'queues', '--json'], { env });
  expect(queues.json()).toMatchObject([{ queue: 'mail', waiting: JOBS }, { queue: 'dead_letter' }]);
});
