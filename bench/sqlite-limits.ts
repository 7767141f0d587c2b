/**
 * The figures of the documented limits of SQLite: durability, processes, size, and the return of space:
 * `npm run bench:sqlite-limits`.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { createSqliteBackend } from '../src/sqlite.ts';
import { createBullmqOnSqlite } from './contenders.ts';

const MANY = Number(process.argv[2] ?? 1_000_000);
const folder = await mkdtemp(join(tmpdir(), 'tq-bench-'));
try {
  await measureDurability();
  await measureProcesses();
  await measureSize();
} finally {
  await rm(folder, { recursive: true, force: true });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function openQueue(name: string, connection: { path: string; synchronous?: string }): Queue {
  return new Queue(name, { connection } as never, createSqliteBackend as never) as Queue;
}

async function measureDurability(): Promise<void> {
  for (const synchronous of ['normal', 'full']) {
    const queue = openQueue('calls', { path: join(folder, `${synchronous}.db`), synchronous });
    await queue.add('noop', {});
    const count = synchronous === 'full' ? 500 : 5000;
    const startedAt = performance.now();
    for (let sent = 0; sent < count; sent += 1) await queue.add('noop', {});
    say(`add one at a time, ${synchronous}: ${Math.round((count / (performance.now() - startedAt)) * 1000)}/s`);
    await queue.close();
  }
}

async function measureProcesses(): Promise<void> {
  const jobs = 40_000;
  for (const processes of [1, 2, 4]) {
    const path = join(folder, `processes-${processes}.db`);
    await createBullmqOnSqlite(path).enqueueInBulk('shared', jobs);
    const script = new URL('sqlite-worker.ts', import.meta.url);
    const workers: ChildProcess[] = Array.from({ length: processes }, () => fork(script, [path, 'shared', '10']));
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    const queue = openQueue('shared', { path });
    const startedAt = performance.now();
    for (const worker of workers) worker.send('begin');
    while ((await queue.getJobCountByTypes('waiting', 'active')) > 0) await wait(20);
    const perSecond = Math.round((jobs / (performance.now() - startedAt)) * 1000);
    const ran = await Promise.all(
      workers.map(async (worker) => {
        const told = once(worker, 'message');
        worker.send('end');
        const [count] = await told;
        return count as number;
      }),
    );
    say(`process, ${processes} processes of 10 slots: ${perSecond}/s (${ran.join(' + ')} jobs)`);
    await queue.close();
  }
}

async function measureSize(): Promise<void> {
  const path = join(folder, 'size.db');
  const contender = createBullmqOnSqlite(path);
  const bytes = async (): Promise<number> => (await stat(path)).size;
  await contender.enqueueInBulk('deep', MANY);
  say(`${MANY} waiting jobs: ${mib(await bytes())} MiB, ${Math.round((await bytes()) / MANY)} bytes a job`);
  await contender.process('deep', MANY, 50);
  say(`${MANY} finished jobs: ${mib(await bytes())} MiB, ${Math.round((await bytes()) / MANY)} bytes a job`);
  const queue = openQueue('deep', { path });
  const startedAt = performance.now();
  while ((await queue.clean(0, 10_000, 'completed')).length > 0);
  say(`removed in ${seconds(startedAt)} s`);
  const freedAt = performance.now();
  // What a worker's regular look for stalled jobs begins.
  await (queue.getBackend() as unknown as { moveStalledJobsToWait(): Promise<unknown> }).moveStalledJobsToWait();
  // The file becomes shorter with the checkpoint at the end, not bit by bit.
  const full = await bytes();
  for (let waits = 0; waits < 1200 && (await bytes()) > full / 4; waits += 1) await wait(100);
  say(`space returned in ${seconds(freedAt)} s, down to ${mib(await bytes())} MiB`);
  await queue.close();
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}
