import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { openBroker } from '../../../src/engine/broker/open-broker.ts';
import type { Broker } from '../../../src/engine/broker/port.ts';
import { createJobId } from '../../../src/engine/core/job-id.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';
import { seededRandom } from '../../engine/broker/sqlite/processes/seeded-random.ts';
import { createSqliteUrl, testServers } from '../../support/brokers.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { withTempDir } from '../../support/temp-dir.ts';
import { waitFor } from '../../support/wait-for.ts';
import { account, type Outage } from './account.ts';
import { Fleet } from './fleet.ts';
import { readRuns } from './journal.ts';

/** How many times something is killed, stopped or restarted; a long run takes hundreds. */
const INCIDENTS = Number(process.env['TQ_SOAK_INCIDENTS'] ?? 8);
/** Repeats the choices of a run, as far as processes repeat themselves. */
const SEED = Number(process.env['TQ_SOAK_SEED'] ?? Math.floor(Math.random() * 1e9));
const WORKERS = 3;
const BATCH = 200;
/** More waiting jobs than the workers can run before the producer looks again. */
const BACKLOG = 1000;
const LONGEST_JOB_MS = 60;

/** Keeps the queue full until it is stopped. @returns the ids whose addition was acknowledged */
function startProducer(broker: Broker, random: () => number): { stop(): Promise<Set<string>> } {
  const acknowledged = new Set<string>();
  const stopped = new AbortController();
  const queue = broker.queue('soak');
  const produce = async (): Promise<Set<string>> => {
    while (!stopped.signal.aborted) {
      const { waiting } = await queue.counts();
      if (waiting >= BACKLOG) {
        await wait(50, undefined, { signal: stopped.signal }).catch(() => undefined);
        continue;
      }
      const jobs = Array.from({ length: BATCH }, () => {
        const now = systemClock.now();
        const ms = Math.floor(random() * LONGEST_JOB_MS);
        return { id: createJobId(now), task: 'soak.work', args: [ms], meta: {}, createdAt: now };
      });
      await queue.addBulk(jobs);
      for (const { id } of jobs) acknowledged.add(id);
    }
    return acknowledged;
  };
  const done = produce();
  // Awaited when it is stopped; until then a failure is only kept.
  done.catch(() => undefined);
  return {
    stop() {
      stopped.abort();
      return done;
    },
  };
}

/** Away for a moment, by an orderly stop or by a crash, and there again with everything that it acknowledged. */
async function restart(server: RedisServer, random: () => number): Promise<Outage> {
  const from = Date.now();
  await server.stop(random() < 0.5 ? 'SIGTERM' : 'SIGKILL');
  await wait(random() * 2000);
  await server.restart();
  return { from, to: Date.now() };
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const stores = [
  { name: 'sqlite', open: async () => ({ url: createSqliteUrl(), server: undefined }) },
  ...(testServers().canStartRedis
    ? [
        {
          name: 'redis',
          async open() {
            const server = await startRedis({ persistent: true });
            cleanups.push(() => server.stop('SIGKILL'));
            return { url: server.url, server };
          },
        },
      ]
    : []),
];

describe.each(stores)('on $name, at full load', ({ open }) => {
  test(
    `no job is lost and only running ones repeat while workers and broker are killed (TQ_SOAK_SEED=${SEED} TQ_SOAK_INCIDENTS=${INCIDENTS})`,
    { timeout: 120_000 + INCIDENTS * 15_000 },
    () =>
      withTempDir(async (journal) => {
        const { url, server } = await open();
        const random = seededRandom(SEED);
        const broker = await openBroker(url, { clock: systemClock, patienceMs: 30_000 });
        cleanups.push(() => broker.close());
        const listReady = async () => (await broker.control.listNodes()).map(({ name }) => name);
        const fleet = new Fleet({ url, journal, size: WORKERS, random, listReady });
        cleanups.push(() => fleet.killAll());
        const producer = startProducer(broker, random);
        await fleet.fill();
        await waitFor('the first jobs to run', () => readRuns(journal).size > 0, { timeoutMs: 30_000 });

        const outages: Outage[] = [];
        for (let incident = 0; incident < INCIDENTS; incident += 1) {
          await wait(random() * 1000);
          const choice = random();
          if (choice < 0.5) await fleet.kill();
          else if (choice < 0.75 || server === undefined) await fleet.deploy();
          else outages.push(await restart(server, random));
        }

        const sent = await producer.stop();
        const queue = broker.queue('soak');
        await waitFor(
          'the workers to run what is left',
          async () => {
            const { waiting, active, scheduled } = await queue.counts();
            return waiting + active + scheduled === 0;
          },
          { timeoutMs: 90_000, everyMs: 100 },
        );
        await fleet.stop();

        const { lost, unexcused } = account(sent, readRuns(journal), { killed: fleet.killed, outages });
        expect(lost).toEqual([]);
        expect(unexcused).toEqual([]);
        expect(fleet.complaints).toEqual([]);
        const counts = await queue.counts();
        expect(counts).toMatchObject({ dead: 0, blocked: 0 });
        expect(counts.completed).toBeGreaterThanOrEqual(sent.size);
        expect(sent.size).toBeGreaterThan(BACKLOG);
      }),
  );
});
