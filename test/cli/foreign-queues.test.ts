import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { createRedisUrl, testServers } from '../support/brokers.ts';
import { ensureBuilt } from '../support/build.ts';
import { projectFolder } from '../support/project-folder.ts';
import { createFolderOfRun } from '../support/run-folder.ts';
import { runTq } from '../support/tq-command.ts';

/** An application that knows BullMQ alone: it adds jobs, fails some of them, and ends. */
const PRODUCER = `
  import { Queue, Worker } from 'bullmq';
  const queue = new Queue('orders', { connection, prefix });
  const pay = (to, amount, opts = {}) => ({ name: 'pay', data: { to, amount }, opts });
  await queue.addBulk([
    pay('ann', 5, { jobId: 'order-1', attempts: 2 }),
    pay('bob', 50, { jobId: 'order-2', attempts: 2 }),
    pay('cec', 500, { jobId: 'order-3', attempts: 1 }),
  ]);
  const worker = new Worker('orders', async ({ data }) => {
    throw data.amount > 100 ? new RangeError('limit of ' + data.amount) : new Error('bank ' + data.amount + ' is closed');
  }, { connection, prefix });
  await new Promise((resolve) => {
    let left = 3;
    worker.on('failed', ({ opts, attemptsMade }) => attemptsMade >= opts.attempts && (left -= 1) === 0 && resolve());
  });
  await worker.close();
  await queue.addBulk([
    pay('dan', 1), pay('eve', 2, { priority: 3 }), pay('fay', 3, { delay: 3_600_000 }), pay('gus', 4, { jobId: 'order-9' }),
  ]);
  await queue.upsertJobScheduler('nightly', { every: 3_600_000 }, { name: 'report', data: {} });
  await queue.close();
`;

/** A worker of that application, which runs what is there and says what it was. */
const CONSUMER = `
  import { Queue, Worker } from 'bullmq';
  for (const name of ['orders', 'repair']) {
    const queue = new Queue(name, { connection, prefix });
    const worker = new Worker(name, async ({ id, data }) => console.log(JSON.stringify({ queue: name, id, ...data })), { connection, prefix });
    await new Promise((resolve) => worker.on('drained', resolve));
    await worker.close();
    await queue.close();
  }
`;

// It may take longer than a test.
beforeAll(ensureBuilt);

describe.skipIf(testServers().redisUrl === null)('queues of an application that knows BullMQ alone', () => {
  test('are looked through, changed, mended and undone, and its own workers run what is left', {
    timeout: 120_000,
  }, async () => {
    const url = createRedisUrl();
    const { hostname: host, port, searchParams } = new URL(url);
    const settings = `const connection = ${JSON.stringify({ host, port: Number(port) })};
      const prefix = ${JSON.stringify(searchParams.get('prefix'))};`;
    const bullmq = async (program: string): Promise<string> => {
      const file = join(projectFolder, 'node_modules', `.foreign-${process.pid}-${Math.random()}.mjs`);
      await writeFile(file, `${program.replace(/(import .*\n)/, `$1${settings}\n`)}`);
      const { stdout } = await execa(process.execPath, [file], { timeout: 60_000 }).finally(() =>
        execa('rm', ['-f', file]),
      );
      return stdout;
    };
    await bullmq(PRODUCER);
    const cwd = createFolderOfRun('foreign');
    const env = { TQ_BROKER_URL: url, TQ_UNDO_DIR: createFolderOfRun('undo') };
    const tq = async (...argv: string[]) => (await runTq([...argv, '--yes', '--json'], { cwd, env })).json();
    const ids = async (...where: string[]) =>
      ((await tq('jobs', 'list', '--where', ...where)) as { id: string }[]).map(({ id }) => id).sort();

    expect(await ids('state:dead')).toEqual(['order-1', 'order-2', 'order-3']);
    expect(await ids('args.0.amount>=50 args.0.to=b*')).toEqual(['order-2']);
    expect(await tq('dlq', 'stats')).toMatchObject([
      { error: 'Error: bank # is closed', task: 'pay', queue: 'orders', count: 2 },
      { error: 'RangeError: limit of #', count: 1 },
    ]);
    expect(await tq('jobs', 'show', 'order-1')).toMatchObject({ state: 'FAILURE', args: [{ to: 'ann', amount: 5 }] });
    expect(await tq('why', 'order-3')).toMatchObject({ reasons: [{ code: 'DEAD' }] });
    expect(await tq('why', 'order-9')).toMatchObject({
      reasons: expect.arrayContaining([expect.objectContaining({ code: 'NO_WORKER' })]),
    });

    expect(await tq('dlq', 'reprocess', 'order-1')).toMatchObject({ reprocessed: 1 });
    expect(
      await tq('dlq', 'reprocess', '--where', 'error~limit', '--patch', '{"amount":99}', '--queue', 'repair'),
    ).toMatchObject({
      ...{ matched: 1, reprocessed: 1 },
    });
    expect(await tq('jobs', 'edit', 'order-9', '--patch', '{"amount":44}')).toMatchObject({ changed: 1 });
    expect(await tq('jobs', 'move', '--where', 'args.0.to:dan', '--to', 'repair')).toMatchObject({ changed: 1 });
    expect(await tq('jobs', 'promote', '--where', 'args.0.to:fay')).toMatchObject({ changed: 1 });
    const cancelled = (await tq('jobs', 'cancel', '--where', 'args.0.to:eve')) as { undo: string };
    expect(cancelled).toMatchObject({ changed: 1 });
    expect(await ids('args.0.to:eve')).toEqual([]);
    expect(await tq('undo', cancelled.undo)).toMatchObject({ restored: 1 });
    const purged = (await tq('purge', '-Q', 'orders')) as { undo: string };
    expect(purged).toMatchObject({ purged: { orders: 4 } });
    expect(await tq('undo', purged.undo)).toMatchObject({ restored: 4 });

    const ran = (await bullmq(CONSUMER)).split('\n').map((line) => JSON.parse(line) as { to?: string });
    const byName = ran.filter(({ to }) => to !== undefined).sort((a, b) => String(a.to).localeCompare(String(b.to)));
    expect(byName).toEqual([
      { queue: 'orders', id: 'order-1', to: 'ann', amount: 5 },
      { queue: 'repair', id: 'order-3', to: 'cec', amount: 99 },
      { queue: 'repair', id: expect.any(String), to: 'dan', amount: 1 },
      { queue: 'orders', id: expect.any(String), to: 'eve', amount: 2 },
      { queue: 'orders', id: expect.any(String), to: 'fay', amount: 3 },
      { queue: 'orders', id: 'order-9', to: 'gus', amount: 44 },
    ]);
    // What its schedule keeps was not touched.
    expect(await ids('task:report state:scheduled')).toHaveLength(1);
    expect(await ids('state:dead')).toEqual(['order-2']);
  });
});
