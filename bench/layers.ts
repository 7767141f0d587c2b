/**
 * Where the time of a job goes: `node bench/layers.ts [concurrency] [rounds]`. The same jobs are run by a bare BullMQ worker,
 * by tq's consumer alone and by a whole tq worker. Processor time a job (the least of the rounds) says more than throughput
 * on a machine that is busy with other things.
 */
import { Queue, Worker } from 'bullmq';
import { openBroker } from '../src/engine/broker/open-broker.ts';
import { createLogger } from '../src/engine/runtime/logger.ts';
import { systemClock } from '../src/engine/runtime/system-clock.ts';
import { createApp } from '../src/index.ts';
import { startRedis } from './redis-server.ts';

const CONCURRENCY = Number(process.argv[2] ?? 10);
const ROUNDS = Number(process.argv[3] ?? 9);
const JOBS = 40_000;
const DAY_SECONDS = 86_400;
const DATA = { args: [{ to: 'someone@example.com', subject: 'hello', id: 12_345 }], meta: {} };

const server = await startRedis();
const connection = { host: server.host, port: server.port };
const broker = await openBroker(server.url, { clock: systemClock });

const layers: Record<string, () => Promise<number>> = {
  async 'BullMQ worker'() {
    const queue = await fill();
    const race = createRace();
    const options = { connection, concurrency: CONCURRENCY, removeOnComplete: { age: DAY_SECONDS } };
    const worker = new Worker(queue, async () => race.step(), options);
    const cost = await race.finished;
    await worker.close();
    return cost;
  },
  async 'tq consumer'() {
    const queue = await fill();
    const race = createRace();
    const consumer = broker.createConsumer({
      queues: [{ name: queue, weight: 1 }],
      order: 'strict',
      concurrency: CONCURRENCY,
      workerName: 'bench',
      lockDurationMs: 30_000,
      maxWorkerLost: 3,
      keepResultSeconds: DAY_SECONDS,
      onTrouble: () => {},
      onRecovered: () => {},
      onIdle: () => {},
      perform: async () => {
        race.step();
        return { kind: 'succeeded', result: undefined };
      },
    });
    await consumer.run();
    const cost = await race.finished;
    await consumer.stop();
    return cost;
  },
  async 'tq worker'() {
    const queue = await fill();
    const race = createRace();
    const app = createApp({ broker: server.url, builtins: false }, { env: {} });
    app.task('noop', { queue }, async () => race.step());
    const logger = createLogger({ level: 'warn', destination: 2 });
    const worker = await app.createWorker({ queues: [queue], concurrency: CONCURRENCY, logger: logger.log });
    await worker.start();
    const cost = await race.finished;
    await worker.stop();
    await logger.close();
    await app.close();
    return cost;
  },
};

const costs = new Map(Object.keys(layers).map((name) => [name, [] as number[]]));
for (let round = 0; round <= ROUNDS; round += 1) {
  const entries = Object.entries(layers);
  for (const [name, run] of round % 2 === 0 ? entries : entries.toReversed()) {
    const cost = await run();
    // The first round warms all up.
    if (round > 0) costs.get(name)?.push(cost);
  }
}
for (const [name, values] of costs) {
  const sorted = values.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  process.stdout.write(`${name.padEnd(16)} least ${sorted[0]?.toFixed(1)} µs a job   median ${median.toFixed(1)}\n`);
}
await broker.close();
await server.stop();

async function fill(): Promise<string> {
  const name = `layers-${crypto.randomUUID()}`;
  const queue = new Queue(name, { connection });
  for (let sent = 0; sent < JOBS; sent += 1000) {
    await queue.addBulk(
      Array.from({ length: 1000 }, () => ({ name: 'noop', data: DATA, opts: { jobId: crypto.randomUUID() } })),
    );
  }
  await queue.close();
  return name;
}

/** Processor time from the first job to the last, in microseconds a job. */
function createRace(): { step(): void; finished: Promise<number> } {
  const { promise, resolve } = Promise.withResolvers<number>();
  let done = 0;
  let before = process.cpuUsage();
  return {
    step() {
      if (done === 0) before = process.cpuUsage();
      done += 1;
      if (done < JOBS) return;
      const { user, system } = process.cpuUsage(before);
      resolve((user + system) / JOBS);
    },
    finished: promise,
  };
}
