import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { createNodeId } from '../../../src/engine/broker/control-port.ts';
import type { Broker } from '../../../src/engine/broker/port.ts';
import { type BrokerUnderTest, testServers } from '../../support/brokers.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { startPostgres } from '../../support/postgres-server.ts';
import { startRedis } from '../../support/redis-server.ts';
import { waitFor } from '../../support/wait-for.ts';
import { createStore, openWorkshop, type Workshop } from './workshop.ts';

interface Mortal {
  readonly url: string;
  readonly pid: () => number;
  stop(signal?: NodeJS.Signals): Promise<void>;
  restart(): Promise<void>;
}

const { canStartRedis, canStartPostgres } = testServers();
const stores: { name: BrokerUnderTest['name']; start: () => Promise<Mortal> }[] = [
  ...(canStartRedis ? [{ name: 'redis' as const, start: startMortalRedis }] : []),
  ...(canStartPostgres ? [{ name: 'postgres' as const, start: startMortalPostgres }] : []),
];

/** Without persistence: it comes back empty. */
async function startMortalRedis(): Promise<Mortal> {
  const server = await startRedis();
  return { ...server, url: server.url, pid: () => server.pid };
}

async function startMortalPostgres(): Promise<Mortal> {
  const server = await startPostgres();
  const { url } = await createPostgresDatabase(server.url);
  return { ...server, url, pid: () => server.pid };
}

/** A patience that no test waits out. */
const PATIENCE_MS = 60_000;
/** Of a question: long enough for an answer on a busy machine, where one can come. */
const LONG_MS = 20_000;

describe.each(stores)('on $name, the control bus', ({ name, start }) => {
  const stops: (() => unknown)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  const open = async (): Promise<{ server: Mortal; workshop: Workshop }> => {
    const server = await start();
    stops.push(() => server.stop('SIGKILL'));
    await createStore({ name, createUrl: async () => server.url });
    const workshop = await openWorkshop(name, server.url);
    stops.push(() => workshop.close());
    return { server, workshop };
  };

  const join = async ({ openBroker, afterwards }: Workshop): Promise<void> => {
    const broker = await openBroker();
    const handle = () => ({ value: 'pong' });
    const member = await broker.control.join({ id: createNodeId(), name: 'tq', leaseMs: 3000, handle });
    afterwards(() => member.leave());
  };

  const ask = (broker: Broker, timeoutMs = LONG_MS) => broker.control.ask({ command: 'ping', args: null, timeoutMs });
  const pong = new Map([['tq', { ok: true, value: 'pong' }]]);

  test('comes back with a broker that was killed: the worker joins again by itself', { timeout: 60_000 }, async () => {
    const { server, workshop } = await open();
    await join(workshop);
    const asker = await workshop.openBroker(undefined, { patienceMs: PATIENCE_MS });
    expect((await ask(asker)).answers).toEqual(pong);

    await server.stop('SIGKILL');
    await expect(ask(asker, 1000)).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE', exitCode: 69 });

    await server.restart();
    await waitFor('the worker to answer again', async () => (await ask(asker, 2000)).answers.has('tq'), {
      timeoutMs: 30_000,
    });
    expect((await ask(asker)).answers).toEqual(pong);
  });

  test('fails an asker whose broker is killed while it waits', { timeout: 60_000 }, async () => {
    const { server, workshop } = await open();
    const broker = await workshop.openBroker();
    const asked = Promise.withResolvers<void>();
    const gate = workshop.gate<never>();
    const handle = () => {
      asked.resolve();
      return gate.promise;
    };
    const member = await broker.control.join({ id: createNodeId(), name: 'tq', handle });
    workshop.afterwards(() => member.leave());
    const asking = ask(await workshop.openBroker(), 5000);
    const failed = expect(asking).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' });
    await asked.promise;
    await server.stop('SIGKILL');
    await failed;
  });

  test('fails an asker within its time when the broker is frozen', { timeout: 60_000 }, async () => {
    const { server, workshop } = await open();
    await join(workshop);
    const asker = await workshop.openBroker(undefined, { patienceMs: PATIENCE_MS });
    expect((await ask(asker)).answers).toEqual(pong);
    const thaw = freeze(server.pid(), name);
    stops.push(thaw);
    await expect(ask(asker, 500)).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' });
    thaw();
    await waitFor('the worker to answer again', async () => (await ask(asker, 2000)).answers.has('tq'), {
      timeoutMs: 30_000,
    });
  });
});

/** Stops a server as SIGSTOP does: it keeps its connections and says nothing. PostgreSQL has a process a connection. */
function freeze(pid: number, name: string): () => void {
  const group = name === 'postgres' ? listFamily(pid) : [pid];
  for (const each of group) process.kill(each, 'SIGSTOP');
  let frozen = true;
  return () => {
    if (frozen) for (const each of group) process.kill(each, 'SIGCONT');
    frozen = false;
  };
}

function listFamily(pid: number): number[] {
  const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return [pid, ...children.trim().split(/\s+/).map(Number)];
}
