import { describe, expect, test } from 'vitest';
import type { ActiveJobs } from '../../src/engine/control/active-jobs.ts';
import type { HeldJobs } from '../../src/engine/control/replies.ts';
import { listActive } from '../../src/ops/list-active.ts';
import { READING } from '../../src/ops/operation.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

const active = (id: string) => ({
  ...{ id, task: 'email.send', queue: 'high', attempt: 1, startedAt: NOW - 5000, runningMs: 5000 },
  ...{ requestId: id, pid: 7, progress: null },
});

const holding = (ids: readonly string[], more: Partial<HeldJobs> = {}): { held: HeldJobs } => ({
  held: { active: ids.map(active), reserved: [], queues: ['high'], lockDurationMs: 30_000, ...more },
});

/** A job that some worker took five seconds ago. */
const taken = (id: string, worker: string | null = 'gone') =>
  ({ id, state: 'STARTED', attempts: 1, worker, startedAt: NOW - 5000 }) as const;

const run = (broker: FakeBroker, input = {}): Promise<ActiveJobs> =>
  listActive.run(createFakeSession(broker), input, READING);

test('what each worker runs is its reply', async () => {
  const broker = new FakeBroker().store('high', taken('a', 'one'));
  broker.control.add('one', holding(['a']));
  broker.control.add('mute', {});
  expect(await run(broker)).toEqual({
    answers: new Map([['one', { ok: true, value: [active('a')] }]]),
    silent: ['mute'],
    orphaned: [],
  });
});

test('an error of a worker stays its reply', async () => {
  const broker = new FakeBroker();
  broker.control.add('one', { held: new Error('no') });
  expect((await run(broker)).answers.get('one')).toEqual({ ok: false, error: { code: 'INTERNAL', message: 'no' } });
});

describe('an orphan', () => {
  test('is a job that is active on the broker and that no live worker claims', async () => {
    const broker = new FakeBroker().store('high', taken('a', 'one'), taken('b'), taken('c', 'one'));
    broker.queue('high').lockLeftMs.set('b', 20_000);
    broker.control.add('one', holding(['a'], { reserved: ['c'] }));
    expect((await run(broker)).orphaned).toEqual([
      {
        ...{ id: 'b', task: 'email.send', queue: 'high', attempt: 1, worker: 'gone', startedAt: NOW - 5000 },
        recoverAt: NOW + 20_000 + 15_000,
      },
    ]);
  });

  test('without a lock is found by two looks, as far apart as those of the slowest worker of its queue', async () => {
    const broker = new FakeBroker().store('high', taken('b'));
    broker.control.add('quick', holding([], { lockDurationMs: 5000 }));
    broker.control.add('slow', holding([], { lockDurationMs: 60_000 }));
    broker.control.add('other', holding([], { queues: ['low'], lockDurationMs: 900_000 }));
    expect((await run(broker)).orphaned).toMatchObject([{ id: 'b', recoverAt: NOW + 60_000 }]);
  });

  test('of a queue that no live worker serves is recovered by nobody', async () => {
    const broker = new FakeBroker().store('high', taken('b'));
    broker.control.add('other', holding([], { queues: ['low'] }));
    expect((await run(broker)).orphaned).toMatchObject([{ id: 'b', recoverAt: null }]);
    expect((await run(new FakeBroker().store('high', taken('b')))).orphaned).toMatchObject([{ recoverAt: null }]);
  });

  test('is no job that another application of BullMQ runs, unless its lock has run out', async () => {
    const broker = new FakeBroker().store('high', taken('theirs', null), taken('lost', null));
    broker.queue('high').lockLeftMs.set('theirs', 1000);
    expect((await run(broker)).orphaned).toMatchObject([{ id: 'lost' }]);
  });

  test('is no job that has ended, or was taken again, while the workers were asked', async () => {
    const broker = new FakeBroker().store('high', taken('ended'), taken('again'), taken('same'));
    const { ask } = broker.control;
    broker.control.ask = async (question) => {
      broker.store('high', { id: 'ended', state: 'SUCCESS' }, { ...taken('again'), startedAt: NOW });
      return await ask.call(broker.control, question);
    };
    expect((await run(broker)).orphaned).toMatchObject([{ id: 'same' }]);
  });

  test('is not looked for when only some workers are asked', async () => {
    const broker = new FakeBroker().store('high', taken('b'));
    broker.control.add('one', holding([]));
    expect((await run(broker, { destinations: ['one'] })).orphaned).toBeNull();
  });
});
