import { afterEach, describe, expect, test } from 'vitest';
import { createApp } from '../../../src/engine/app/create-app.ts';
import { testServers } from '../../support/brokers.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { startPostgres } from '../../support/postgres-server.ts';
import { startRedis } from '../../support/redis-server.ts';
import { waitFor } from '../../support/wait-for.ts';
import { createStore, queueName } from '../broker/workshop.ts';
import { recordLog } from '../worker/recorded.ts';

interface Mortal {
  readonly url: string;
  stop(signal?: NodeJS.Signals): Promise<void>;
  restart(): Promise<void>;
}

const { canStartRedis, canStartPostgres } = testServers();
const stores = [
  ...(canStartRedis
    ? [{ name: 'redis' as const, start: (): Promise<Mortal> => startRedis({ persistent: true }) }]
    : []),
  ...(canStartPostgres ? [{ name: 'postgres' as const, start: startMortalPostgres }] : []),
];

async function startMortalPostgres(): Promise<Mortal> {
  const server = await startPostgres();
  const { url } = await createPostgresDatabase(server.url);
  return { ...server, url };
}

describe.each(stores)('a beat on $name', ({ name, start }) => {
  const stops: (() => unknown)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  test('goes on when a broker that was killed is back, and makes up for what passed, each once', {
    timeout: 120_000,
  }, async () => {
    const server = await start();
    stops.push(() => server.stop('SIGKILL'));
    await createStore({ name, createUrl: async () => server.url });
    const app = createApp({ broker: server.url, builtins: false }, { env: {} });
    stops.push(() => app.close());
    app.task('tick', async () => {});
    const queue = queueName();
    app.schedule({ tick: { task: 'tick', every: '1s', queue, missed: 'all' } });
    const log = recordLog();
    const beat = await app.createBeat({ logger: log.logger });
    stops.push(() => beat.stop());
    await beat.start();
    const countFired = (): number => log.messages.filter((message) => message === 'entry "tick" fired').length;
    await waitFor('two firings', () => countFired() >= 2);

    await server.stop('SIGKILL');
    await server.restart();
    const backAt = Date.now();
    await waitFor('a firing that was due after the broker was back', () => lastDue(log.lines) > backAt, {
      timeoutMs: 90_000,
      detail: () => JSON.stringify({ state: beat.state, log: log.messages.slice(-10) }),
    });
    await beat.stop();

    const due: number[] = [];
    const jobs = (await app.broker()).queue(queue).bulk;
    for await (const ids of jobs.scanIds({ places: ['waiting', 'scheduled'] })) {
      due.push(...ids.map((id) => Number(id.split(':')[2])));
    }
    due.sort((a, b) => a - b);
    expect(due.map((at) => (at - (due[0] ?? 0)) / 1000)).toEqual(Array.from(due, (_, index) => index));
  });
});

function lastDue(lines: readonly Readonly<Record<string, unknown>>[]): number {
  return Math.max(...lines.map(({ due }) => Date.parse(String(due))).filter(Number.isFinite));
}
