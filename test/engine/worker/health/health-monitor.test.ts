import { expect, test } from 'vitest';
import { createError } from '../../../../src/engine/core/errors.ts';
import { HealthMonitor } from '../../../../src/engine/worker/health/health-monitor.ts';
import { FakeBroker } from '../fake-broker.ts';
import { FakeJob } from '../fake-job.ts';
import { createFakeClock, recordLog } from '../recorded.ts';

const LIMIT_MS = 60_000;

function setUp() {
  const broker = new FakeBroker();
  const clock = createFakeClock(1_000_000);
  const log = recordLog();
  const slots = { free: true };
  const monitor = new HealthMonitor({
    broker,
    clock,
    logger: log.logger,
    limitMs: LIMIT_MS,
    listQueues: () => ['high', 'low'],
    hasFreeSlot: () => slots.free,
  });
  return {
    broker,
    clock,
    log,
    slots,
    monitor,
    /** Looks, half way through the limit, and when it has passed. */
    async lookForLimit() {
      await monitor.look();
      for (const _ of [1, 2]) {
        clock.advance(LIMIT_MS / 2);
        await monitor.look();
      }
      return monitor.fetch.isStuck;
    },
  };
}

test('a worker that takes none of the jobs that wait is found, and it is said once what to do', async () => {
  const { broker, clock, log, monitor, lookForLimit } = setUp();
  broker.queue('low').waiting.push(new FakeJob());
  expect(await lookForLimit()).toBe(true);
  expect(monitor.fetch.since).toBe(clock.now());
  await monitor.look();
  expect(log.lines).toHaveLength(1);
  expect(log.lines[0]).toMatchObject({ level: 'ERROR', queues: ['high', 'low'], stuck_ms: LIMIT_MS });
  expect(log.messages[0]).toContain('restart it');
  monitor.noteTaken();
  await monitor.look();
  expect(monitor.fetch.isStuck).toBe(false);
  expect(log.lines[1]).toMatchObject({ level: 'INFO', stuck_ms: LIMIT_MS });
});

test('nothing is suspected when no job waits, when no slot is free, or when a queue is held back', async () => {
  const { broker, slots, lookForLimit } = setUp();
  expect(await lookForLimit()).toBe(false);
  const low = broker.queue('low');
  low.waiting.push(new FakeJob());
  slots.free = false;
  expect(await lookForLimit()).toBe(false);
  slots.free = true;
  low.heldBack = true;
  expect(await lookForLimit()).toBe(false);
  low.heldBack = false;
  expect(await lookForLimit()).toBe(true);
});

test('a queue that is held back hides no other one', async () => {
  const { broker, lookForLimit } = setUp();
  for (const name of ['high', 'low']) broker.queue(name).waiting.push(new FakeJob());
  broker.queue('high').heldBack = true;
  expect(await lookForLimit()).toBe(true);
});

test('nothing is suspected while the broker is away, or cannot be asked', async () => {
  const { broker, clock, monitor, lookForLimit } = setUp();
  broker.queue('low').waiting.push(new FakeJob());
  clock.advance(5);
  monitor.noteBrokerLost();
  expect(monitor.broker).toEqual({ isUp: false, since: clock.now() });
  expect(await lookForLimit()).toBe(false);
  monitor.noteBrokerUp();
  expect(monitor.broker).toEqual({ isUp: true, since: clock.now() });
  broker.failures.counts = new Error('gone');
  expect(await lookForLimit()).toBe(false);
});

test('the broker is not asked when jobs are taken', async () => {
  const { broker, monitor } = setUp();
  broker.queue('low').hasWork = () => Promise.reject(new Error('asked'));
  const asked: string[] = [];
  broker.queue('high').hasWork = async () => {
    asked.push('high');
    return false;
  };
  monitor.noteTaken();
  await monitor.look();
  expect(asked).toEqual([]);
  await monitor.look();
  expect(asked).toEqual(['high']);
});

test('a broker that does not answer is lost until it does, though no connection was', async () => {
  const { broker, log, monitor } = setUp();
  const high = broker.queue('high');
  const ask = high.hasWork.bind(high);
  const facts = { url: 'redis://h', doing: 'counting', reason: 'Command timed out', causes: 'is it up?' };
  high.hasWork = async () => {
    throw createError('BROKER_UNAVAILABLE', facts);
  };
  await monitor.look();
  await monitor.look();
  expect(monitor.broker.isUp).toBe(false);
  expect(log.messages).toEqual(['the broker does not answer']);
  high.hasWork = ask;
  await monitor.look();
  expect(monitor.broker.isUp).toBe(true);
  expect(log.messages.at(-1)).toBe('the broker answers again');
});
