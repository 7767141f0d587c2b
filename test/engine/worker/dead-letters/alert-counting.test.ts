import { expect, test } from 'vitest';
import { ALERT_TASK, type AlertNotice } from '../../../../src/engine/core/alert-notice.ts';
import { type AlertRuleOptions, parseAlerts } from '../../../../src/engine/core/alert-rule.ts';
import { createError } from '../../../../src/engine/core/errors.ts';
import { AlertCounting } from '../../../../src/engine/worker/dead-letters/alert-counting.ts';
import type { DeadLetter } from '../../../../src/engine/worker/dead-letters/dead-letter.ts';
import { createFakeState } from '../../broker/fake-state.ts';
import { FakeBroker } from '../fake-broker.ts';
import { createFakeClock, recordLog } from '../recorded.ts';

const AT = 1_700_000_000_000;
let letters = 0;

function createLetter(fields: Partial<DeadLetter> & { fingerprint?: string } = {}): DeadLetter {
  letters += 1;
  const { fingerprint = 'f1', ...rest } = fields;
  return {
    id: `job-${letters}`,
    task: 'email.send',
    queue: 'high',
    args: [],
    error: { name: 'TypeError', message: 'no host', code: 'ENOHOST', fingerprint },
    attempts: 1,
    worker: 'tq@test',
    requestId: 'r1',
    ...rest,
  };
}

class StatefulBroker extends FakeBroker {
  override readonly state;
  constructor(now: () => number) {
    super();
    this.state = createFakeState(now);
  }
}

function setUp(...options: AlertRuleOptions[]) {
  const clock = createFakeClock(AT);
  const broker = new StatefulBroker(() => clock.now());
  const log = recordLog();
  const { rules, mistakes } = parseAlerts(options.map((rule) => ({ webhook: 'https://chat.example/T0K3N', ...rule })));
  expect(mistakes).toEqual([]);
  /** What one worker counts by. */
  const createWorker = (): AlertCounting => new AlertCounting({ rules, broker, clock, logger: log.logger });
  const notices = (): AlertNotice[] => broker.sent.map(({ args }) => args[0] as AlertNotice);
  return { clock, broker, log, createWorker, notices };
}

test('the dead letter that reaches the threshold adds the job of an alert at the head of its queue', async () => {
  const { broker, createWorker, clock } = setUp({ name: 'mail', threshold: 2, window: '1m' });
  const worker = createWorker();
  await worker.count(createLetter());
  expect(broker.sent).toEqual([]);
  clock.advance(5000);
  const second = createLetter();
  await worker.count(second);
  expect(broker.sent).toEqual([
    {
      id: expect.stringMatching(/^alert-.*-webhook$/),
      task: ALERT_TASK,
      queue: 'high',
      createdAt: AT + 5000,
      delayMs: 1000,
      meta: { requestId: 'r1' },
      args: [
        {
          id: expect.any(String),
          via: 'webhook',
          rule: 'mail',
          count: 2,
          threshold: 2,
          windowMs: 60_000,
          firstAt: AT,
          lastAt: AT + 5000,
          queue: null,
          task: null,
          fingerprint: null,
          sample: {
            id: second.id,
            task: 'email.send',
            queue: 'high',
            fingerprint: 'f1',
            worker: 'tq@test',
            error: { name: 'TypeError', message: 'no host', code: 'ENOHOST' },
          },
        },
      ],
    },
  ]);
  expect(broker.queue('high').promoted).toEqual([broker.sent[0]?.id]);
});

test('nothing of where an alert goes stands in its job or in the log', async () => {
  const { broker, log, createWorker } = setUp({ threshold: 1, secret: 'S3CR3T of it', email: 'ops@example.com' });
  await createWorker().count(createLetter());
  expect(broker.sent).toHaveLength(2);
  expect(JSON.stringify([broker.sent, log.lines])).not.toMatch(/T0K3N|S3CR3T|ops@example/);
});

test('workers count together, and an alert is one job whoever notices', async () => {
  const { broker, createWorker } = setUp({ threshold: 3 });
  const workers = Array.from({ length: 4 }, createWorker);
  await Promise.all(workers.map((worker) => worker.count(createLetter())));
  await Promise.all(workers.map((worker) => worker.count(createLetter())));
  expect(new Set(broker.sent.map(({ id }) => id)).size).toBe(1);
});

test('there is one alert a window, and another one in the next', async () => {
  const { broker, createWorker, clock } = setUp({ threshold: 2, window: '1m' });
  const workers = [createWorker(), createWorker()] as const;
  for (let at = 0; at < 5; at += 1) for (const worker of workers) await worker.count(createLetter());
  expect(broker.sent).toHaveLength(1);
  clock.advance(60_000);
  await workers[1].count(createLetter());
  expect(broker.sent).toHaveLength(1);
  await workers[0].count(createLetter());
  expect(broker.sent).toHaveLength(2);
  expect(new Set(broker.sent.map(({ id }) => id)).size).toBe(2);
});

test('once the alert is there, a flood of dead letters costs the store nothing more', async () => {
  const { broker, createWorker } = setUp({ threshold: 2 });
  const worker = createWorker();
  await worker.count(createLetter());
  await worker.count(createLetter());
  const refuse = (): Promise<never> => Promise.reject(new Error('the store was asked'));
  Object.assign(broker.state, { read: refuse, write: refuse, count: refuse });
  await worker.count(createLetter());
  expect(broker.sent).toHaveLength(1);
});

test('the alert is a job before the dead letter that reaches the threshold is counted', async () => {
  const { broker, createWorker } = setUp({ threshold: 2 });
  await createWorker().count(createLetter());
  const { count } = broker.state;
  const died = Promise.withResolvers<void>();
  // The worker dies when it is about to count.
  broker.state.count = (key, by, ttlMs) => {
    if (by === 0) return count(key, by, ttlMs);
    died.resolve();
    return new Promise(() => {});
  };
  void createWorker().count(createLetter());
  await died.promise;
  expect(broker.sent).toHaveLength(1);
});

test('a worker that died after it had counted leaves an alert that another one does not send again', async () => {
  const { broker, createWorker } = setUp({ threshold: 2 });
  const letter = createLetter();
  await createWorker().count(createLetter());
  await createWorker().count(letter);
  // Its outcome was not stored: the job dies again in other hands.
  await createWorker().count(letter);
  expect(broker.sent).toHaveLength(1);
});

test.each<[rule: AlertRuleOptions, counted: boolean[]]>([
  [{ queue: 'high' }, [true, false, true, true]],
  [{ task: ['email.*', 'x'] }, [true, true, false, true]],
  [{ fingerprint: 'f?' }, [true, true, true, false]],
  [{ queue: 'high', task: 'sms.*' }, [false, false, true, false]],
])('the rule %j counts what fits all its patterns', async (rule, counted) => {
  const { broker, createWorker } = setUp({ ...rule, threshold: 1, per: 'fingerprint' });
  const given = [
    createLetter({ fingerprint: 'f1' }),
    createLetter({ fingerprint: 'f2', queue: 'low' }),
    createLetter({ fingerprint: 'f3', task: 'sms.send' }),
    createLetter({ fingerprint: 'other' }),
  ];
  for (const letter of given) await createWorker().count(letter);
  const samples = broker.sent.map(({ args }) => (args[0] as AlertNotice).sample.id).sort();
  expect(samples).toEqual(
    given
      .filter((_, index) => counted[index])
      .map(({ id }) => id)
      .sort(),
  );
});

test.each<[AlertRuleOptions, number]>([
  [{ per: 'rule' }, 1],
  [{ per: 'queue' }, 2],
  [{ per: 'task' }, 3],
  [{ per: 'fingerprint' }, 4],
])('the rule %j counts apart', async (rule, alerts) => {
  const { createWorker, notices } = setUp({ ...rule, threshold: 1 });
  const worker = createWorker();
  for (const queue of ['a', 'b']) {
    for (const task of ['t1', 't2', 't3']) {
      for (const fingerprint of ['f1', 'f2', 'f3', 'f4'])
        await worker.count(createLetter({ queue, task, fingerprint }));
    }
  }
  expect(notices()).toHaveLength(alerts);
  const { per } = rule;
  if (per !== undefined && per !== 'rule')
    expect(notices()[0]?.[per]).toBe({ queue: 'a', task: 't1', fingerprint: 'f1' }[per]);
});

test('a dead letter counts for every rule that it fits', async () => {
  const { notices, createWorker } = setUp({ name: 'a', threshold: 1 }, { name: 'b', threshold: 1, queue: 'h*' });
  await createWorker().count(createLetter());
  expect(
    notices()
      .map(({ rule }) => rule)
      .sort(),
  ).toEqual(['a', 'b']);
});

test('an alert that is a dead letter itself is not counted', async () => {
  const { broker, createWorker } = setUp({ threshold: 1 });
  expect(createWorker().count(createLetter({ task: ALERT_TASK }))).toBeUndefined();
  expect(broker.sent).toEqual([]);
});

test('a broker that is away is waited for until the worker hands its jobs back', async () => {
  const { broker, log, createWorker } = setUp({ threshold: 1 });
  const asked = Promise.withResolvers<void>();
  broker.state.read = () => {
    asked.resolve();
    return Promise.reject(
      createError('BROKER_UNAVAILABLE', { url: 'redis://x', doing: 'counting', reason: 'away' } as never),
    );
  };
  const worker = createWorker();
  const counted = worker.count(createLetter());
  await asked.promise;
  expect(log.lines).toEqual([]);
  worker.abandon();
  await counted;
  expect(log.messages).toEqual([expect.stringContaining('was not counted for its alert')]);
});

test('on a queue with priorities the alert goes first', async () => {
  const { broker, createWorker } = setUp({ threshold: 1 });
  broker.queue('high').priorities = true;
  await createWorker().count(createLetter());
  expect(broker.sent[0]).toMatchObject({ priority: 9 });
});
