/**
 * Operations on very many jobs, through the built command: `node bench/operations.ts [jobs] [dead letters] [redis|sqlite]`, after
 * `npm run build`. By default 1,000,000 waiting jobs with 500 bytes of data, and 100,000 dead letters. Each command runs in a process of
 * its own and is measured from outside. Of Redis, the longest single command is that of its slow log.
 */
import { join } from 'node:path';
import { openBroker } from '../src/engine/broker/open-broker.ts';
import { createJobId } from '../src/engine/core/job-id.ts';
import { systemClock } from '../src/engine/runtime/system-clock.ts';
import { createDead } from './dead-records.ts';
import { type BenchedBroker, measureEach, readLongest } from './each-broker.ts';
import { runMeasured } from './measured-command.ts';

const JOBS = Number(process.argv[2] ?? 1_000_000);
const DEAD = Number(process.argv[3] ?? 100_000);
const ONLY = process.argv[4];
const BATCH = 1000;
const BYTES = 500;

await measureEach(ONLY, measure);

async function measure({ name, url, redis, folder }: BenchedBroker): Promise<void> {
  await fill(url);
  const run = async (...argv: string[]): Promise<Record<string, unknown>> => {
    await redis?.slowlog('RESET');
    const env = { TQ_UNDO_DIR: join(folder, 'undo') };
    const { seconds, cpu, mib, stdout } = await runMeasured([...argv, '--broker', url, '--json', '--yes', '-q'], env);
    const command = redis === undefined ? '' : `, longest command ${(await readLongest(redis)).toFixed(0)} ms`;
    const text = `${seconds.toFixed(2)} s, ${cpu.toFixed(2)} s of its own processor, rss ${mib} MiB${command}`;
    process.stdout.write(`${`${name}, tq ${argv.join(' ')}`.padEnd(56)}${text}\n`);
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  await run('jobs', 'list', '-Q', 'mail');
  await run('jobs', 'list');
  await run('dlq', 'stats');
  await run('dlq', 'reprocess', '--all');
  const { undo } = await run('purge', '--all');
  await run('undo', String(undo));
  await run('jobs', 'export', '--all', '-o', join(folder, `${name}.ndjson.gz`));
}

async function fill(url: string): Promise<void> {
  const broker = await openBroker(url, { clock: systemClock });
  const queue = broker.queue('mail');
  const text = 'x'.repeat(BYTES - 60);
  for (let made = 0; made < JOBS; made += BATCH) {
    const now = Date.now();
    const jobs = Array.from({ length: Math.min(BATCH, JOBS - made) }, (_, index) => ({
      ...{ id: createJobId(now), task: 'mail.send', args: [{ number: made + index, text }], meta: {}, createdAt: now },
    }));
    await queue.addBulk(jobs);
  }
  for (let made = 0; made < DEAD; made += BATCH) {
    await queue.bulk.restore(
      Array.from({ length: Math.min(BATCH, DEAD - made) }, (_, index) => createDead(made + index)),
    );
  }
  await broker.close();
}
