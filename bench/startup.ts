/**
 * How long commands take from start to end: `node bench/startup.ts`. Beside each stands an empty `node -e 0`, so that the
 * share of the machine and of Node itself is seen.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startRedis } from './redis-server.ts';

const RUNS = Number(process.argv[2] ?? 20);
const run = promisify(execFile);
const tq = fileURLToPath(new URL('../bin/tq', import.meta.url));
const server = await startRedis();
try {
  await measure('node -e 0', ['-e', '0']);
  await measure('tq --help (≤ 80 ms)', [tq, '--help']);
  await measure('tq inspect queues (≤ 250 ms)', [tq, 'inspect', 'queues', '--broker', server.url]);
} finally {
  await server.stop();
}

async function measure(name: string, args: readonly string[]): Promise<void> {
  const times: number[] = [];
  for (let index = 0; index <= RUNS; index += 1) {
    const startedAt = performance.now();
    await run(process.execPath, args);
    // The first run fills the compile cache.
    if (index > 0) times.push(performance.now() - startedAt);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): string => `${Math.round(times[Math.floor(share * (times.length - 1))] ?? 0)} ms`;
  process.stdout.write(`${name.padEnd(32)} median ${at(0.5)}   least ${at(0)}   most ${at(1)}\n`);
}
