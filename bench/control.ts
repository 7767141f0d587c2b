/**
 * How long `tq inspect active` takes from start to end against 20 live workers, on Redis and on SQLite:
 * `node bench/control.ts [runs]`. The workers run nothing; each says that it runs five jobs. An empty `node -e 0` stands
 * beside it, so that the share of Node itself is seen.
 */
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pino from 'pino';
import { openBroker } from '../src/engine/broker/open-broker.ts';
import type { ControlledWorker } from '../src/engine/control/controlled-worker.ts';
import { openWorkerControl } from '../src/engine/control/worker-control.ts';
import { systemClock } from '../src/engine/runtime/system-clock.ts';
import { startRedis } from './redis-server.ts';

const WORKERS = 20;
const PROCESSES = 4;
const [first, url = '', count = ''] = process.argv.slice(2);

if (first === 'workers') await serve(url, Number(count));
else await main(Number(first ?? 20));

async function main(runs: number): Promise<void> {
  const server = await startRedis();
  const folder = await mkdtemp(join(tmpdir(), 'tq-bench-'));
  try {
    await measure('node -e 0', ['-e', '0'], runs);
    await measureOn(server.url, runs);
    await measureOn(`sqlite:${join(folder, 'tq.db')}`, runs);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureOn(broker: string, runs: number): Promise<void> {
  const children = Array.from({ length: PROCESSES }, () =>
    fork(fileURLToPath(import.meta.url), ['workers', broker, String(WORKERS / PROCESSES)]),
  );
  try {
    await Promise.all(children.map((child) => once(child, 'message')));
    const tq = fileURLToPath(new URL('../bin/tq', import.meta.url));
    const kind = broker.split(':')[0];
    const common = ['--broker', broker, '--json'];
    await measure(`inspect queues, ${kind}`, [tq, 'inspect', 'queues', ...common], runs);
    await measure(`inspect ping, ${kind}`, [tq, 'inspect', 'ping', ...common], runs);
    await measure(`inspect active, ${kind} (≤ 300 ms)`, [tq, 'inspect', 'active', ...common], runs);
    await measure(`status, ${kind}`, [tq, 'status', ...common], runs);
  } finally {
    await Promise.all(
      children.map(async (child) => {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      }),
    );
  }
}

async function measure(name: string, args: readonly string[], runs: number): Promise<void> {
  const times: number[] = [];
  for (let index = 0; index <= runs; index += 1) {
    const startedAt = performance.now();
    const { stdout } = await promisify(execFile)(process.execPath, args);
    // The first run fills the compile cache.
    if (index > 0) times.push(performance.now() - startedAt);
    assertWhole(name, stdout);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): string => `${Math.round(times[Math.floor(share * (times.length - 1))] ?? 0)} ms`;
  process.stdout.write(`${name.padEnd(36)} median ${at(0.5)}   least ${at(0)}   most ${at(1)}\n`);
}

/** A command that was fast because it asked nobody is no result. */
function assertWhole(name: string, stdout: string): void {
  if (!/ping|active|status/.test(name)) return;
  const { workers, silent } = JSON.parse(stdout);
  const answered = Object.keys(workers).length;
  if (answered !== WORKERS || silent.length > 0) throw new Error(`${name}: ${answered} workers answered`);
}

async function serve(broker: string, workers: number): Promise<void> {
  const logger = pino({ level: 'silent' });
  const opened = await openBroker(broker, { clock: systemClock });
  const controls = await Promise.all(
    Array.from({ length: workers }, async () => {
      const control = await openWorkerControl({ template: 'bench%n@%h', broker: opened, clock: systemClock, logger });
      await control.join(createWorker(control.name));
      return control;
    }),
  );
  process.once('SIGTERM', async () => {
    await Promise.all(controls.map((control) => control.leave()));
    await opened.close();
    process.disconnect();
  });
  process.send?.('ready');
}

function createWorker(name: string): ControlledWorker {
  const startedAt = systemClock.now();
  const running = Array.from({ length: 5 }, (_, index) => {
    const id = `${name}-${index}`;
    return { id, task: 'email.send', queue: 'default', attempt: 1, startedAt, requestId: id, pid: 1, progress: null };
  });
  return {
    name,
    queues: ['default'],
    pool: 'prefork',
    concurrency: 5,
    startedAt,
    version: '0',
    tasks: new Map(),
    health: { live: true, ready: true, problems: [] },
    lockDurationMs: 30_000,
    settings: {},
    listRunning: () => running,
    listReserved: () => [],
    counters: { succeeded: 0, retried: 0, failed: 0, ended: 0, handedBack: 0 },
    pids: [process.pid],
    revoke: async () => [],
    listRevoked: () => [],
    autoscale: undefined,
    taskLimits: new Map(),
    resize: () => undefined,
    setAutoscale: () => undefined,
    addQueue: async () => false,
    removeQueue: () => false,
    setTimeLimits: () => undefined,
    reloadPauses: async () => [],
    taskRates: new Map(),
    setRate: () => () => undefined,
    stop: () => undefined,
  };
}
