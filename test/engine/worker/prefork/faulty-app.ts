/** What the children of the tests load: tasks that do to their process what no task should. */
import { spawn } from 'node:child_process';
import { closeSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { createApp } from '../../../../src/engine/app/create-app.ts';
import { TaskRevoked } from '../../../../src/engine/core/errors.ts';
import { context } from '../../../../src/engine/task/context.ts';
import type { TaskOptions } from '../../../../src/engine/task/definition.ts';
import { Ignore } from '../../../../src/engine/task/exceptions.ts';

let started = 0;
let jobs = 0;

export const app = createApp(
  {
    broker: 'redis://nobody',
    builtins: false,
    hooks: {
      processStart: () => {
        started += 1;
      },
      processStop: () => void process.stdout.write('closed\n'),
      taskDead: ({ id }) => void process.stdout.write(`hook: ${id} is dead in ${process.pid}\n`),
    },
  },
  { env: {} },
);

const task = app.task as unknown as (name: string, options: TaskOptions, run: (...args: never[]) => unknown) => void;
const retry = { max: 1, delay: 5, jitter: false };
const forever = (): Promise<never> => new Promise(() => {});

const untilAborted = (): Promise<unknown> => {
  const { signal } = context();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason), { once: true }));
};

task('where', {}, () => {
  jobs += 1;
  return { pid: process.pid, jobs, started };
});
task('facts', {}, (...args: unknown[]) => {
  const { id, queue, attempt, requestId, headers, createdAt, worker } = context();
  return { id, queue, attempt, requestId, headers, createdAt, worker, args };
});
task('noop', {}, () => {});

task('talk', {}, async () => {
  context().log.info({ step: 1 }, 'logged');
  context().log.debug('too quiet');
  process.stdout.write('printed\n');
  process.stderr.write('complained\n');
  process.stdout.write('\u001b[31mred\nno end');
});
task('log-then-block', {}, () => {
  context().log.info('about to block');
  for (;;);
});
task('progress', {}, async () => {
  await context().progress({ percent: 50 });
  return await context()
    .progress({ percent: 100 })
    .catch((error: Error & { code?: unknown }) => ({ refused: error.message, code: error.code }));
});

task('block', {}, () => {
  for (;;);
});
task('block-limited', { timeLimit: 150, retry }, () => {
  for (;;);
});
task('never-settle-limited', { timeLimit: 150 }, forever);
task('heed-the-soft-limit', { softTimeLimit: 50 }, async () => ((await untilAborted()) as { code?: unknown }).code);
task('hold', {}, async () => {
  process.stdout.write('holding\n');
  const reason = await untilAborted();
  throw reason;
});
task('hold-and-finish', {}, async () => {
  process.stdout.write('holding\n');
  return ((await untilAborted()) as { code?: unknown }).code;
});
task('hold-and-tell-why', { retry }, async () => {
  process.stdout.write('holding\n');
  const reason = await untilAborted();
  const { name, by, terminate } = reason as TaskRevoked;
  process.stdout.write(`${JSON.stringify({ isTaskRevoked: reason instanceof TaskRevoked, name, by, terminate })}\n`);
  throw new Error('a task may throw what it likes');
});
const once: TaskOptions = { delivery: 'at-most-once' };
task('once', once, () => {});
task('once-exit', once, () => process.exit(3));
task('once-hold', once, async () => {
  process.stdout.write('holding\n');
  throw await untilAborted();
});
task('once-hold-deafly', once, () => {
  process.stdout.write('holding\n');
  return forever();
});
task('hold-for', {}, (ms: number) => wait(ms));
task('group', {}, () => Number(readFileSync(`/proc/${process.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[2]));
task('hold-deafly', {}, () => {
  process.stdout.write('holding\n');
  return forever();
});

task('exit', {}, (code: number) => {
  process.exit(code);
});
task('abort', {}, () => {
  process.abort();
});
task('signal', {}, (signal: NodeJS.Signals) => {
  process.kill(process.pid, signal);
  return forever();
});
task('heap', {}, () => {
  const kept: unknown[] = [];
  for (;;) kept.push(new Array(100_000).fill({}));
});
task('throw-later', {}, () => {
  setTimeout(() => {
    throw new RangeError('nobody catches this');
  });
  return forever();
});
task('reject-later', {}, () => {
  void Promise.reject(new Error('nobody awaits this'));
  return forever();
});

task('throw-a-text', { retry }, () => {
  throw 'just a text';
});
task('throw-undefined', { retry }, () => {
  throw undefined;
});
task('throw-a-frozen-error', { retry }, () => {
  throw Object.freeze(Object.assign(new Error('frozen'), { code: 'E_ICE' }));
});
task('throw-a-circle', { retry }, () => {
  const error = new Error('round');
  error.cause = error;
  throw error;
});
task('throw-a-trap', { retry }, () => {
  throw new Proxy(new Error('trap'), {
    get() {
      throw new Error('caught you');
    },
  });
});
task('ignore', {}, () => {
  throw new Ignore('not today');
});
task('return-a-BigInt', { retry }, () => ({ rows: [1n] }));
task('return-a-circle', { retry }, () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  return circle;
});
task('return-itself', {}, (value: unknown) => value);

function spawnChild(file: string): void {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  writeFileSync(file, String(child.pid));
  process.stdout.write('holding\n');
}
task('spawn-a-child', {}, (file: string) => {
  spawnChild(file);
  return forever();
});
task('spawn-a-child-and-block', {}, (file: string) => {
  spawnChild(file);
  for (;;);
});
task('close-the-channel', {}, () => {
  closeSync(3);
  return forever();
});
task('write-into-the-channel', {}, () => {
  writeSync(3, 'nonsense\n');
  return forever();
});
task('close-all-output', {}, () => {
  for (const fd of [0, 1, 2]) closeSync(fd);
  return 'closed';
});
task('disconnect', {}, () => {
  process.disconnect();
});
task('print', {}, async (megabytes: number) => {
  const line = `${'x'.repeat(1023)}\n`;
  for (let kilobyte = 0; kilobyte < megabytes * 1024; kilobyte += 1) {
    if (!process.stdout.write(line)) await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
});
task('break-Array', {}, () => {
  Array.prototype.map = () => {
    throw new Error('map is broken');
  };
  return 'broken';
});
task('break-JSON', {}, () => {
  JSON.stringify = () => {
    throw new Error('stringify is broken');
  };
  return 'broken';
});
task('break-Math', {}, () => {
  Math.round = () => {
    throw new Error('round is broken');
  };
});
task('pollute-Object', {}, () => {
  Object.assign(Object.prototype, { polluted: true });
  return 'broken';
});
task('no-exit', {}, () => {
  process.exit = (() => {}) as never;
  process.kill = (() => {}) as never;
  return 'broken';
});
task('eat-memory', {}, async (megabytes: number) => {
  eaten.push(Buffer.alloc(megabytes * 2 ** 20, 1));
  // The look at the memory is at most every so often.
  await wait(120);
  return process.pid;
});
const eaten: Buffer[] = [];
