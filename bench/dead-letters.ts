/**
 * Looking at very many dead letters: `node bench/dead-letters.ts [dead letters] [redis|sqlite]`, after `npm run build`. Makes jobs with
 * 500 bytes of data that died after three attempts, of four kinds of error with stacks of ten frames, then runs `tq dlq stats` and
 * `tq dlq list` in a process of their own, from start to end, and reads the most memory that they took.
 *
 * Of Redis, the longest single command is that of its slow log.
 */
import { openBroker } from '../src/engine/broker/open-broker.ts';
import { systemClock } from '../src/engine/runtime/system-clock.ts';
import { createDead } from './dead-records.ts';
import { type BenchedBroker, measureEach, readLongest } from './each-broker.ts';
import { runMeasured } from './measured-command.ts';

const DEAD = Number(process.argv[2] ?? 100_000);
const ONLY = process.argv[3];
const BATCH = 1000;

await measureEach(ONLY, measure);

async function measure({ name, url, redis }: BenchedBroker): Promise<void> {
  const broker = await openBroker(url, { clock: systemClock });
  const queue = broker.queue('mail');
  await queue.add({ id: 'waits', task: 'mail.send', args: [], meta: {}, createdAt: Date.now() });
  for (let made = 0; made < DEAD; made += BATCH) {
    await queue.bulk.restore(Array.from({ length: BATCH }, (_, index) => createDead(made + index)));
  }
  await broker.close();
  for (const argv of [
    ['dlq', 'stats'],
    ['dlq', 'stats', '--where', 'error~timeout'],
    ['dlq', 'stats', '--where', 'args.0.number>10'],
    ['dlq', 'list'],
  ]) {
    await redis?.slowlog('RESET');
    const { seconds, cpu, mib, stdout } = await runMeasured([...argv, '--broker', url, '--json']);
    const command = redis === undefined ? '' : `, longest command ${(await readLongest(redis)).toFixed(1)} ms`;
    const text = `${seconds.toFixed(2)} s, ${cpu.toFixed(2)} s of its own processor, rss ${mib} MiB at most${command}, ${(JSON.parse(stdout) as unknown[]).length} rows\n`;
    process.stdout.write(`${`${name}, tq ${argv.join(' ')}`.padEnd(48)}${text}`);
  }
}
