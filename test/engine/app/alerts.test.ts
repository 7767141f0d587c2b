import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { App } from '../../../src/engine/app/contract.ts';
import type { AlertRuleOptions } from '../../../src/engine/core/alert-rule.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { waitFor } from '../../support/wait-for.ts';
import { type Answer, startWebhookServer, type WebhookServer } from '../../tasks/alerts/webhook-server.ts';
import { startProcess } from '../broker/sqlite/processes/started-process.ts';
import { createLiveBench, createStore, type LiveBench } from './live-app.ts';
import { registerTasks } from './live-tasks.ts';

const module = new URL('./live-tasks.ts', import.meta.url);

describe.each(brokersUnderTest())('alerts on $name', (store) => {
  let url: string;
  let bench: LiveBench;
  let webhook: WebhookServer;
  let answers: Answer[];
  beforeAll(async () => {
    url = await createStore(store);
  });
  beforeEach(async () => {
    bench = createLiveBench(url);
    answers = [];
    webhook = await startWebhookServer(() => answers.shift() ?? { status: 204 });
  });
  afterEach(async () => {
    await bench.close();
    await webhook.close();
  });

  const createApp = (rule: AlertRuleOptions) => {
    const app = bench.createApp({ alerts: [{ webhook: `${webhook.url}/hook`, ...rule }] });
    registerTasks(app);
    return app;
  };
  /** So many dead letters, and no job that waits or runs. */
  const untilDead = async (app: App, count: number): Promise<void> => {
    const queue = (await app.broker()).queue(bench.queue);
    await waitFor(
      `${count} dead letters`,
      async () => {
        const { dead, waiting, active, scheduled } = await queue.counts();
        return dead === count && waiting + active + scheduled === 0;
      },
      { timeoutMs: 30_000 },
    );
  };

  test('two workers count together, and one alert of the many arrives', async () => {
    const rule = { name: 'many', threshold: 10, per: 'queue' } as const;
    const app = createApp(rule);
    await app.sendBulk(
      'broken',
      Array.from({ length: 40 }, () => ['it']),
    );
    await bench.startWorker(app, { concurrency: 3 });
    await bench.startWorker(createApp(rule), { concurrency: 3 });
    const { body, headers } = await webhook.posted.next();
    expect(headers['content-type']).toBe('application/json');
    const { count, ...payload } = JSON.parse(body);
    expect(payload).toMatchObject({
      rule: 'many',
      threshold: 10,
      queue: bench.queue,
      error: { name: 'RangeError', message: 'it is out of range', code: 'ERANGE' },
    });
    expect(count).toBeGreaterThanOrEqual(10);
    await untilDead(app, 40);
    expect(webhook.posted.all).toHaveLength(1);
  });

  test('a child process sends them with the rules of its worker', async () => {
    const app = createApp({ threshold: 1, secret: 'known to both' });
    await app.send('broken', ['it']);
    await bench.startWorker(app, { pool: 'prefork', module, concurrency: 1 });
    const { headers } = await webhook.posted.next();
    expect(headers['x-tq-signature']).toMatch(/^sha256=[0-9a-f]{64}$/);
  });

  test('an alert that is refused is a dead letter, and about that one there is no alert', async () => {
    answers.push({ status: 410 });
    const app = createApp({ threshold: 1, per: 'task', window: '1s' });
    await app.send('broken', ['it']);
    await bench.startWorker(app);
    await untilDead(app, 2);
    expect(webhook.posted.all).toHaveLength(1);
  });

  test('a worker that is killed when it has counted leaves an alert that arrives once', {
    timeout: 60_000,
  }, async () => {
    const rule = { name: 'doomed', threshold: 3 } as const;
    const app = createApp(rule);
    const hook = `${webhook.url}/hook`;
    await app.sendBulk('broken', [['a'], ['b'], ['c']]);
    const doomed = startProcess(new URL('./doomed-counter.ts', import.meta.url), [url, bench.queue, hook, '3']);
    expect(await doomed.ended).toMatchObject({ signal: 'SIGKILL' });
    expect(webhook.posted.all).toEqual([]);
    await bench.startWorker(app, { lockDuration: '5s' });
    const { body } = await webhook.posted.next();
    expect(JSON.parse(body)).toMatchObject({ rule: 'doomed', count: 3 });
    // The job that it held dies again in other hands, and is counted once too often.
    await untilDead(app, 3);
    expect(webhook.posted.all).toHaveLength(1);
  });
});
