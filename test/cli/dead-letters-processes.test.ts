import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createRedisUrl, testServers } from '../support/brokers.ts';
import { ensureBuilt } from '../support/build.ts';
import { projectFolder } from '../support/project-folder.ts';
import { createFolderOfRun } from '../support/run-folder.ts';
import { runTq } from '../support/tq-command.ts';
import { waitFor } from '../support/wait-for.ts';

/** Its second attempt kills its process. */
const CONFIG = `
import { context, createApp } from 'taskq';

export const app = createApp({ broker: 'sqlite:jobs.db', builtins: false, maxWorkerLost: 3 });
app.task('mail.send', { retry: { max: 1, delay: '1ms', jitter: false } }, async ({ to }) => {
  const { attempt, log } = context();
  const fresh = (await import('node:fs')).existsSync(to + '.killed') === false;
  if (attempt === 2 && fresh) {
    (await import('node:fs')).writeFileSync(to + '.killed', '');
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => {});
  }
  throw Object.assign(new TypeError('no such user "' + to + '" after ' + attempt + ' tries'), { code: 'E_USER' });
});
`;

// It may take longer than a test.
beforeAll(ensureBuilt);

interface Attempt {
  readonly startedAt: number;
  readonly endedAt: number;
}

test('a dead letter, from its failure to its ledger, its kind and its list', { timeout: 120_000 }, async () => {
  const cwd = createFolderOfRun('dead-letters');
  await mkdir(join(cwd, 'node_modules'));
  await symlink(projectFolder, join(cwd, 'node_modules/taskq'));
  await writeFile(join(cwd, 'tq.config.mjs'), CONFIG);
  const tq = (...argv: string[]) => runTq([...argv, '--json'], { cwd });
  const call = async (to: string) => {
    const called = await tq('call', 'mail.send', '--input', `{"to":"${to}","id":12345678901234567890}`);
    return (called.json() as { id: string }).id;
  };
  const ids = [await call('ann'), await call('bob')];
  // A worker in a burst does not wait for what is due later.
  await waitFor(
    'two dead letters',
    async () => {
      expect(await tq('worker', '--burst', '-c', '2', '-n', 'tq@box')).toMatchObject({ exitCode: 0 });
      return ((await tq('dlq', 'list')).json() as unknown[]).length === 2;
    },
    { timeoutMs: 90_000 },
  );
  const [id = ''] = ids;
  const shown = await tq('dlq', 'show', id);
  expect(shown).toMatchObject({ exitCode: 0, stderr: '' });
  const job = shown.json() as { fingerprint: string; attemptHistory: Attempt[] };
  const failed = {
    name: 'TypeError',
    code: 'E_USER',
    stack: expect.stringMatching(/^TypeError \[E_USER\]: .*\n {4}at /),
  };
  expect(job).toMatchObject({
    ...{ state: 'FAILURE', attempts: 2, workersLost: 1 },
    attemptHistory: [
      {
        attempt: 1,
        outcome: 'retry',
        worker: 'tq@box',
        error: { ...failed, message: 'no such user "ann" after 1 tries' },
      },
      { attempt: 2, outcome: 'lost', worker: 'tq@box', error: { code: 'WORKER_LOST' } },
      {
        attempt: 2,
        outcome: 'dead',
        worker: 'tq@box',
        error: { ...failed, message: 'no such user "ann" after 2 tries' },
      },
    ],
  });
  const times = job.attemptHistory.flatMap(({ startedAt, endedAt }) => [startedAt, endedAt]);
  expect(times).toEqual([...times].sort((one, other) => one - other));
  expect(shown.stdout).not.toContain('tq attempt');
  expect((await tq('dlq', 'stats')).json()).toMatchObject([
    { fingerprint: job.fingerprint, error: "TypeError: no such user '…' after # tries", task: 'mail.send', count: 2 },
  ]);
  const listed = (await tq('dlq', 'list', '--fingerprint', job.fingerprint)).json() as { id: string }[];
  expect(listed.map((each) => each.id).sort()).toEqual(ids.sort());
  const where = ['--where', 'args.0.to=bob state:dead'];
  expect((await tq('dlq', 'list', ...where)).json()).toMatchObject([{ id: expect.any(String), attempts: 2 }]);
});

describe.skipIf(!testServers().redisUrl)('the failed jobs of a plain BullMQ application', () => {
  test('are dead letters with kinds, and their numbers keep their digits', { timeout: 60_000 }, async () => {
    const url = createRedisUrl();
    const prefix = new URL(url).searchParams.get('prefix') ?? 'bull';
    const connection = new Redis(url, { maxRetriesPerRequest: null });
    const queue = new Queue('orders', { connection, prefix });
    const worker = new Worker('orders', () => Promise.reject(new RangeError('order 17 is too large')), {
      connection,
      prefix,
    });
    onTestFinished(async () => {
      await worker.close();
      await queue.close();
      connection.disconnect();
    });
    await queue.addBulk([1, 2, 3].map((order) => ({ name: 'ship', data: { order }, opts: { attempts: 2 } })));
    await waitFor('three failed jobs', async () => (await queue.getFailedCount()) === 3);
    // As a producer of another language writes it.
    await connection.hset(`${prefix}:orders:1`, 'data', '{"order":12345678901234567890}');
    const tq = (...argv: string[]) => runTq([...argv, '--broker', url, '--json'], {});
    expect((await tq('dlq', 'stats')).json()).toMatchObject([
      { error: 'RangeError: order # is too large', task: 'ship', queue: 'orders', count: 3 },
    ]);
    const shown = await tq('dlq', 'show', '1');
    expect(shown.stdout).toContain('"args":[{"order":12345678901234567890}]');
    expect(shown.json()).toMatchObject({
      attemptHistory: [
        { attempt: 1, outcome: 'retry', startedAt: null, error: { name: 'RangeError' } },
        { attempt: 2, outcome: 'dead', startedAt: expect.any(Number), durationMs: expect.any(Number) },
      ],
    });
    const waiting = await queue.add('ship', {}, { delay: 600_000 });
    expect(await tq('dlq', 'show', waiting.id ?? '')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('is no dead letter: its state is SCHEDULED'),
    });
  });
});
