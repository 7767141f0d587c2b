/**
 * How late firings start, and what a beat costs: `node bench/schedule-lateness.ts [seconds] [steady seconds] [redis|postgres|sqlite]`, on Redis and
 * on SQLite.
 *
 * 1. Lateness: an entry of every second for a minute, on a worker whose other slots are busy with jobs that wait, so that one is idle.
 *    Beat and worker share a process, as with `tq worker --beat`. Counted from the due time to the first line of the function.
 * 2. Steady cost: 10,000 daily entries, spread over the day, nothing else. Processor time of a process that does nothing but keep them, over
 *    some minutes after its first look at all of them, so with several full looks.
 */
import { setTimeout as wait } from 'node:timers/promises';
import pino from 'pino';
import { context, createApp } from '../src/index.ts';
import { type BenchedBroker, measureEach } from './each-broker.ts';

const SECONDS = Number(process.argv[2] ?? 60);
const STEADY_SECONDS = Number(process.argv[3] ?? 180);
const ONLY = process.argv[4];
const ENTRIES = 10_000;
const SLOTS = 10;
const WARM_UP_MS = 3000;
const logger = pino({ enabled: false });

await measureEach(ONLY, async (broker) => {
  await measureLateness(broker);
  await measureSteady(broker);
});

async function measureLateness({ name, url }: BenchedBroker): Promise<void> {
  const app = createApp({ broker: url, queues: ['ticks', 'load'], builtins: false }, { env: {} });
  const lateness: number[] = [];
  const seen = new Set<number>();
  app.task('tick', { queue: 'ticks' }, async () => {
    const dueAt = Number(context().id.split(':')[2]);
    lateness.push(Date.now() - dueAt);
    seen.add(dueAt);
  });
  let isOver = false;
  // Each of them sends the next: the other slots are never empty.
  const load = app.task('load', { queue: 'load' }, async () => {
    await wait(20);
    if (!isOver) await load.delay();
  });
  app.schedule({ tick: { task: 'tick', every: '1s', queue: 'ticks' } });
  const worker = await app.createWorker({ queues: ['ticks', 'load'], concurrency: SLOTS, logger });
  const beat = await app.createBeat({ logger });
  await worker.start();
  await beat.start();
  for (let slot = 1; slot < SLOTS; slot += 1) await load.delay();
  await wait(WARM_UP_MS);
  lateness.length = 0;
  seen.clear();
  await wait(SECONDS * 1000);
  const [late, fired] = [lateness.toSorted((a, b) => a - b), lateness.length];
  isOver = true;
  await beat.stop();
  await app.schedules.remove('tick');
  await worker.stop();
  await app.close();
  const at = (share: number): string => `${late[Math.min(late.length - 1, Math.floor(share * late.length))] ?? 0} ms`;
  const figures = `p50 ${at(0.5)}   p99 ${at(0.99)}   most ${late.at(-1) ?? 0} ms`;
  const count = `${fired} firings of ${seen.size} seconds`;
  process.stdout.write(`${`lateness, ${name} (p99 ≤ 100 ms)`.padEnd(36)} ${figures}   ${count}\n`);
}

async function measureSteady({ name, url }: BenchedBroker): Promise<void> {
  const app = createApp({ broker: url, queues: ['kept'], builtins: false }, { env: {} });
  app.task('report', { queue: 'kept' }, async () => {});
  app.schedule(
    Object.fromEntries(
      Array.from({ length: ENTRIES }, (_, index) => [
        `report-${index}`,
        { task: 'report', cron: `${index % 60} ${index % 24} * * *`, queue: 'kept' },
      ]),
    ),
  );
  const beganAt = performance.now();
  await app.schedules.reconcile();
  const reconciledMs = Math.round(performance.now() - beganAt);
  const beat = await app.createBeat({ logger, reconcile: false });
  await beat.start();
  // The first look at all, and what it leaves to the garbage collector.
  await wait(10_000);
  const cpu = process.cpuUsage();
  const from = performance.now();
  await wait(STEADY_SECONDS * 1000);
  const { user, system } = process.cpuUsage(cpu);
  const share = ((user + system) / 1000 / (performance.now() - from)) * 100;
  const { entries } = beat.state;
  await beat.stop();
  await app.close();
  process.stdout.write(`${`reconcile, ${name} (≤ 5 s)`.padEnd(36)} ${reconciledMs} ms for ${ENTRIES} new entries\n`);
  process.stdout.write(
    `${`steady beat, ${name} (≤ 2 %)`.padEnd(36)} ${share.toFixed(2)} % of a core, ${entries} entries, ${STEADY_SECONDS} s\n`,
  );
}
