import { describe, expect, test } from 'vitest';
import { type Finding, formatBytes } from '../../../../src/engine/core/checkup/finding.ts';
import { type CheckedQueue, checkQueues } from '../../../../src/engine/core/checkup/queue-checks.ts';
import {
  type CheckedWorker,
  checkBrokerClock,
  checkNode,
  checkWorkers,
} from '../../../../src/engine/core/checkup/worker-checks.ts';
import { NOW } from '../../../cli/fake-broker.ts';

type Leftovers = Partial<CheckedQueue['leftovers']>;

function createQueue(given: Partial<Omit<CheckedQueue, 'leftovers'>> & { leftovers?: Leftovers } = {}): CheckedQueue {
  const { leftovers, ...rest } = given;
  return {
    ...{ queue: 'mail', waiting: 0, paused: false, consumers: 1, oldestWaitingMs: null },
    ...{ servedBy: ['tq@a'], unregistered: [], lost: [] },
    ...rest,
    leftovers: {
      ...{ queue: 'mail', strayKeys: [], orphans: [], events: { length: 0, bound: 10_000 }, schedules: [] },
      ...leftovers,
    },
  };
}

const check = (queue: CheckedQueue, isWhole = true): Finding[] =>
  checkQueues({ queues: [queue], now: NOW, knownTasks: new Set(['mail.sent']), isWhole });

const TICK = { id: 'tick', hasNext: true, isLast: false, isOwn: false };

interface Case {
  readonly title: string;
  readonly queue: Parameters<typeof createQueue>[0];
  readonly check: string;
  readonly status: string;
  readonly says: RegExp;
}

const CASES: readonly Case[] = [
  {
    title: 'waiting jobs that nobody takes fail',
    queue: { waiting: 3, consumers: 0, servedBy: [], oldestWaitingMs: 60_000 },
    ...{ check: 'unserved-queues', status: 'failed', says: /3 jobs wait in queue "mail".*the oldest for 1m/ },
  },
  {
    title: 'a worker of plain BullMQ serves a queue too',
    queue: { waiting: 3, consumers: 1, servedBy: [] },
    ...{ check: 'unserved-queues', status: 'ok', says: /has a worker/ },
  },
  {
    title: 'an empty queue needs no worker',
    queue: { waiting: 0, consumers: 0, servedBy: [] },
    ...{ check: 'unserved-queues', status: 'ok', says: /has a worker/ },
  },
  {
    title: 'jobs behind a pause are a warning',
    queue: { waiting: 1, paused: true },
    ...{ check: 'paused-queues', status: 'warning', says: /is paused, and 1 job waits/ },
  },
  {
    title: 'tasks that no worker of the queue registers fail, with what is near',
    queue: { waiting: 1, unregistered: ['mail.send'] },
    ...{
      check: 'unregistered-tasks',
      status: 'failed',
      says: /\(tq@a\) registers: mail.send; near it there is mail.sent/,
    },
  },
  {
    title: 'active jobs without a lock are a warning where somebody takes them up',
    queue: { lost: ['x'] },
    ...{
      check: 'lost-jobs',
      status: 'warning',
      says: /1 job of queue "mail" is active without a lock.*: x; the workers/,
    },
  },
  {
    title: 'and fail where nobody does',
    queue: { lost: ['x', 'y'], consumers: 0, servedBy: [] },
    ...{ check: 'lost-jobs', status: 'failed', says: /2 jobs of queue "mail" are active.*nobody takes them up/ },
  },
  {
    title: 'a schedule entry without its next job has stopped',
    queue: { leftovers: { schedules: [{ ...TICK, nextAt: NOW - 1000, hasNext: false }] } },
    ...{ check: 'schedules', status: 'failed', says: /"tick" of queue "mail" has stopped/ },
  },
  {
    title: 'an entry whose last firing has ended has not stopped',
    queue: { leftovers: { schedules: [{ ...TICK, nextAt: NOW - 1000, hasNext: false, isLast: true }] } },
    ...{ check: 'schedules', status: 'ok', says: /1 schedule entry/ },
  },
  {
    title: 'one whose last firing is gone before it was due has',
    queue: { leftovers: { schedules: [{ ...TICK, nextAt: NOW + 1000, hasNext: false, isLast: true }] } },
    ...{ check: 'schedules', status: 'failed', says: /"tick" of queue "mail" has stopped/ },
  },
  {
    title: 'a schedule entry that is long overdue is late',
    queue: { leftovers: { schedules: [{ ...TICK, nextAt: NOW - 3_600_000 }] } },
    ...{ check: 'schedules', status: 'warning', says: /is late: its next job was due 1h ago/ },
  },
  {
    title: 'one of a paused queue is not blamed',
    queue: { paused: true, leftovers: { schedules: [{ ...TICK, nextAt: NOW - 3_600_000 }] } },
    ...{ check: 'schedules', status: 'ok', says: /1 schedule entry fires/ },
  },
  {
    title: 'unique keys without a job fail',
    queue: { leftovers: { strayKeys: [{ key: 'k', holder: 'x' }] } },
    ...{
      check: 'unique-keys',
      status: 'failed',
      says: /1 unique key of queue "mail" is held by jobs that are gone.*: k/,
    },
  },
  {
    title: 'records in no list are a warning',
    queue: { leftovers: { orphans: ['a', 'b', 'c', 'd', 'e', 'f'] } },
    ...{ check: 'orphans', status: 'warning', says: /6 records .*: a, b, c, d, e and 1 more/ },
  },
  {
    title: 'where nobody could look for them, that is said',
    queue: { leftovers: { orphans: null } },
    ...{ check: 'orphans', status: 'skipped', says: /mail/ },
  },
  {
    title: 'an event log that is much longer than its bound is a warning',
    queue: { leftovers: { events: { length: 100_000, bound: 10_000 } } },
    ...{ check: 'event-logs', status: 'warning', says: /100000 entries, where 10000 are kept/ },
  },
  {
    title: 'one that has not been cut for a moment is not',
    queue: { leftovers: { events: { length: 12_000, bound: 10_000 } } },
    ...{ check: 'event-logs', status: 'ok', says: /within their bounds/ },
  },
];

describe('the checks of queues', () => {
  test.each(CASES)('$title', ({ queue, check: name, status, says }) => {
    const found = check(createQueue(queue)).filter((finding) => finding.check === name);
    expect(found).toEqual([expect.objectContaining({ status })]);
    expect(found[0]?.message).toMatch(says);
    if (status === 'failed' || status === 'warning') expect(found[0]?.fix).not.toBeNull();
  });

  test('who puts a stopped schedule entry back depends on who made it', () => {
    const fixOf = (isOwn: boolean): string | null | undefined => {
      const schedules = [{ ...TICK, nextAt: NOW - 1000, hasNext: false, isOwn }];
      return check(createQueue({ leftovers: { schedules } })).find(({ status }) => status === 'failed')?.fix;
    };
    expect(fixOf(true)).toMatch(/`tq beat`.*`tq schedule resume tick`/);
    expect(fixOf(false)).toMatch(/upsertJobScheduler\(\)/);
  });

  test('a queue at work passes all of them', () => {
    expect(new Set(check(createQueue()).map(({ status }) => status))).toEqual(new Set(['ok']));
  });

  test('a broker without queues has nothing to check', () => {
    expect(checkQueues({ queues: [], now: NOW, knownTasks: new Set(), isWhole: true })).toHaveLength(1);
  });

  test('what was not looked through is said', () => {
    expect(check(createQueue(), false).at(-1)).toMatchObject({ check: 'scan', status: 'skipped' });
  });
});

const createWorker = (given: Partial<CheckedWorker> = {}): CheckedWorker => ({
  ...{ name: 'tq@a', version: '1.0.0', node: 'v24.1.0', skewMs: 0, problems: [] },
  ...given,
});
const statuses = (findings: readonly Finding[]) => findings.map(({ check: name, status }) => `${name} ${status}`);

describe('the checks of workers', () => {
  test('workers that answer, agree and are ready pass', () => {
    const findings = checkWorkers([createWorker(), createWorker({ name: 'tq@b', skewMs: -900 })], []);
    expect(statuses(findings)).toEqual(['workers ok', 'versions ok', 'worker-clocks ok']);
    expect(statuses(checkWorkers([], []))).toEqual(['workers ok']);
  });

  test('a silent worker and one that is not ready are named', () => {
    const findings = checkWorkers([createWorker({ problems: ['it takes no jobs'] })], ['tq@mute']);
    expect(statuses(findings).slice(0, 2)).toEqual(['workers warning', 'workers warning']);
    expect(findings.map(({ message }) => message).join()).toMatch(/tq@mute.*tq@a is not ready: it takes no jobs/);
  });

  test('different versions are named with their workers', () => {
    const findings = checkWorkers([createWorker(), createWorker({ name: 'tq@b', version: '0.9.0' })], []);
    expect(findings.find(({ check: name }) => name === 'versions')).toMatchObject({
      ...{ status: 'warning', message: expect.stringContaining('1.0.0 (tq@a), 0.9.0 (tq@b)') },
    });
  });

  test.each([
    [-2000, 'warning', 'tq@a is 2s behind'],
    [60_000, 'failed', 'tq@a is 1m ahead'],
  ])('a clock that is off by %d ms: %s', (skewMs, status, text) => {
    const findings = checkWorkers([createWorker({ skewMs })], []);
    expect(findings.at(-1)).toMatchObject({ check: 'worker-clocks', status, message: expect.stringContaining(text) });
  });
});

test.each([
  [null, 'ok'],
  [500, 'ok'],
  [-5000, 'warning'],
  [31_000, 'failed'],
])("the broker's clock, off by %s ms: %s", (skewMs, status) => {
  expect(checkBrokerClock(skewMs)).toMatchObject({ check: 'broker-clock', status });
});

test('a Node without long-term support is a warning', () => {
  expect(checkNode('v24.1.0')).toMatchObject({ status: 'ok' });
  expect(checkNode('v25.0.0')).toMatchObject({ status: 'warning' });
});

test('bytes for people', () => {
  expect([0, 1023, 1536, 200 * 2 ** 20, 1.5 * 2 ** 40].map(formatBytes)).toEqual([
    ...['0 B', '1023 B', '1.5 KiB', '200 MiB', '1.5 TiB'],
  ]);
});
