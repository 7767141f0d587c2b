/**
 * Takes one job and blocks its own event loop at the worst moment for its lock, just before a renewal: it first watches a
 * few renewals from outside, as any reader of the broker can. Run as a child process with an IPC channel; it says
 * `blocking` just before the block, and the state of the job once its outcome is stored.
 *
 * Arguments: broker URL, queue, lock duration in milliseconds, how long to block in milliseconds.
 */
import { openBroker } from '../../../src/engine/broker/open-broker.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';

const [url = '', name = '', lockDurationMs = '', blockMs = ''] = process.argv.slice(2);
/** Renewals after which the shortest rest of a lock is known. */
const WATCHED = 4;
/** A reading of the lock takes about so long. */
const EARLY_MS = 15;

const broker = await openBroker(url, { clock: systemClock });
const queue = broker.queue(name);

async function untilJustBeforeRenewal(): Promise<void> {
  let shortest = Number.POSITIVE_INFINITY;
  let renewals = 0;
  for (let last = Number.POSITIVE_INFINITY; ; ) {
    const left = (await queue.listActive(0, 1))[0]?.lockLeftMs ?? 0;
    if (left > last) renewals += 1;
    // The rest may once have been shorter than it will ever be again: with each further renewal, a little more will do.
    if (renewals >= WATCHED && left <= shortest + EARLY_MS * (1 + renewals - WATCHED)) return;
    if (renewals > 0) shortest = Math.min(shortest, left);
    last = left;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const consumer = broker.createConsumer({
  queues: [{ name, weight: 1 }],
  order: 'strict',
  concurrency: 1,
  workerName: 'blocking',
  lockDurationMs: Number(lockDurationMs),
  maxWorkerLost: 3,
  keepResultSeconds: 3600,
  async perform() {
    await untilJustBeforeRenewal();
    await new Promise((resolve) => process.send?.('blocking', resolve));
    const until = performance.now() + Number(blockMs);
    while (performance.now() < until);
    return { kind: 'succeeded', result: 'mine' };
  },
  onTrouble: () => {},
  onRecovered: () => {},
  async onIdle() {
    if (consumer.held > 0) return;
    const [job] = await Promise.all([queue.readJob('only')]);
    if (job?.finishedAt != null) process.send?.(`${job.state} ${job.worker} ${job.workersLost}`);
  },
});
await consumer.run();
