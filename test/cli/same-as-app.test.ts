import { describe, expect, test } from 'vitest';
import type { App } from '../../src/engine/app/contract.ts';
import { createApp } from '../../src/engine/app/create-app.ts';
import { controlCommands } from '../../src/engine/control/control-commands.ts';
import { FakeBroker } from './fake-broker.ts';
import { createFakeSession } from './fake-session.ts';
import { run } from './run-fake.ts';

/*
 * What `tq` can ask live workers, an application can ask: the same question, and the same answer. The table has a row for
 * every command that a worker obeys, so one that the library does not offer fails here.
 */

interface Row {
  /** The arguments of `tq`; the name of the command without them. */
  readonly argv: readonly string[];
  readonly call: (app: App) => Promise<unknown>;
  /** What a worker answers. */
  readonly reply: unknown;
}

const here = { destinations: ['tq@a'], timeout: '3s' } as const;
const HERE = ['-d', 'tq@a', '--timeout', '3s'];
const pause = { paused: ['a'], unknown: ['a'] };
const receipt = { id: 'running', task: 'email.send', queue: 'high', happened: 'ignored the signal' };

/** `held` is what `active` asks for. */
const rows: Record<Exclude<keyof typeof controlCommands, 'active'>, Row> = {
  ping: { argv: ['inspect', 'ping', ...HERE], call: (app) => app.inspect.ping(here), reply: 'pong' },
  held: {
    argv: ['inspect', 'active', ...HERE],
    call: (app) => app.inspect.active(here),
    reply: { active: [], reserved: [], queues: ['high'], lockDurationMs: 30_000 },
  },
  reserved: { argv: ['inspect', 'reserved', ...HERE], call: (app) => app.inspect.reserved(here), reply: [] },
  registered: { argv: ['inspect', 'registered', ...HERE], call: (app) => app.inspect.registered(here), reply: [] },
  stats: { argv: ['inspect', 'stats', ...HERE], call: (app) => app.inspect.stats(here), reply: { name: 'tq@a' } },
  conf: { argv: ['inspect', 'conf', ...HERE], call: (app) => app.inspect.conf(here), reply: { burst: false } },
  revoked: { argv: ['inspect', 'revoked', ...HERE], call: (app) => app.inspect.revoked(here), reply: [receipt] },
  revoke: {
    argv: ['control', 'revoke', 'running', 'gone', '--queue', 'high', '--terminate', ...HERE],
    call: (app) => app.control.revoke(['running', 'gone'], { terminate: true, queue: 'high', by: 'ada', ...here }),
    reply: [receipt],
  },
  'pool-grow': {
    argv: ['control', 'pool-grow', '2', ...HERE],
    call: (app) => app.control.growPool(2, here),
    reply: { concurrency: 4 },
  },
  'pool-shrink': {
    argv: ['control', 'pool-shrink', ...HERE],
    call: (app) => app.control.shrinkPool(undefined, here),
    reply: { concurrency: 4 },
  },
  autoscale: {
    argv: ['control', 'autoscale', '8', '2', ...HERE],
    call: (app) => app.control.autoscale({ max: 8, min: 2 }, here),
    reply: { concurrency: 3, max: 8, min: 2 },
  },
  'add-consumer': {
    argv: ['control', 'add-consumer', 'low:6', ...HERE],
    call: (app) => app.control.addConsumer('low:6', here),
    reply: { queues: ['high', 'low'], changed: true },
  },
  'cancel-consumer': {
    argv: ['control', 'cancel-consumer', 'low', ...HERE],
    call: (app) => app.control.cancelConsumer('low', here),
    reply: { queues: ['high'], changed: true },
  },
  'time-limit': {
    argv: ['control', 'time-limit', 'email.send', 'none', '1m', ...HERE],
    call: (app) => app.control.timeLimit('email.send', { softTimeLimit: null, timeLimit: '1m' }, here),
    reply: { task: 'email.send', softTimeLimitMs: null, timeLimitMs: 60_000 },
  },
  'rate-limit': {
    argv: ['control', 'rate-limit', 'email.send', '600/60m', ...HERE],
    call: (app) => app.control.rateLimit('email.send', '600/60m', here),
    reply: { task: 'email.send', rate: '600/h' },
  },
  'reload-pauses': {
    argv: ['task', 'pause', 'a', '--timeout', '3s'],
    async call(app) {
      const { unconfirmed, unregistered, ...task } = await app.control.pauseTask('a', { timeout: '3s' });
      return { tasks: [task], unconfirmed, unregistered: unregistered ? ['a'] : [] };
    },
    reply: pause,
  },
  shutdown: {
    argv: ['control', 'shutdown', ...HERE],
    call: (app) => app.control.shutdown(here),
    reply: { stopping: true, active: 1 },
  },
};

/** Further calls of commands that have several. */
const further: Record<string, Row> = {
  'rate-limit, without a rate': {
    argv: ['control', 'rate-limit', 'a', '0'],
    call: (app) => app.control.rateLimit('a', null),
    reply: { task: 'a', rate: null },
  },
  'task resume': {
    argv: ['task', 'resume', 'a', '--timeout', '3s'],
    async call(app) {
      const { unconfirmed, ...task } = await app.control.resumeTask('a', { timeout: '3s' });
      return { tasks: [task], unconfirmed };
    },
    reply: pause,
  },
  'queue pause': {
    argv: ['queue', 'pause', 'high'],
    call: async (app) => ({ queues: [await app.control.pauseQueue('high')] }),
    reply: null,
  },
  'queue resume': {
    argv: ['queue', 'resume', 'high'],
    call: async (app) => ({ queues: [await app.control.resumeQueue('high')] }),
    reply: null,
  },
  'a command of the application': {
    argv: ['control', 'call', 'cache.clear', '--args', '{"deep":true}', ...HERE],
    call: (app) => app.control.call('cache.clear', { deep: true }, here),
    reply: { cleared: 3 },
  },
};

/** Two brokers in one state: one that each of the two asks. */
function createBroker(reply: unknown): FakeBroker {
  const broker = new FakeBroker().store(
    'high',
    { id: 'running', state: 'STARTED', worker: 'tq@a', attempts: 1 },
    { id: 'waiting', createdAt: 1 },
  );
  const replies = Object.fromEntries([...Object.keys(controlCommands), 'cache.clear'].map((name) => [name, reply]));
  broker.control.add('tq@a', replies);
  broker.control.add('tq@b', replies);
  return broker;
}

/** What is random, or says who asks. */
const neutral = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (key, field) =>
    (key === 'id' && field.length === 36) || key === 'by' ? '…' : field,
  );

describe('tq and the application ask the same of live workers', () => {
  test.each(Object.entries({ ...rows, ...further }))('%s', async (_, { argv, call, reply }) => {
    const [asked, asking] = [createBroker(reply), createBroker(reply)];
    const session = createFakeSession(asked);
    const { stdout } = await run([...argv, '--yes', '--json'], { session });
    const options = { broker: 'redis://memory', builtins: false } as const;
    const app = createApp(options, { clock: session.clock, env: {}, openBroker: async () => asking });
    expect(JSON.parse(JSON.stringify(await call(app)))).toEqual(JSON.parse(stdout));
    expect(neutral(asking.control.questions)).toEqual(neutral(asked.control.questions));
    expect(asking.changes).toEqual(asked.changes);
  });
});
