import { afterEach, expect, test, vi } from 'vitest';
import type { StateStore } from '../../../../src/engine/broker/state-port.ts';
import { createError } from '../../../../src/engine/core/errors.ts';
import { defineTask } from '../../../../src/engine/task/definition.ts';
import { Admission } from '../../../../src/engine/worker/admission/admission.ts';
import { encodeHeld, heldKey } from '../../../../src/engine/worker/admission/held-index.ts';
import { writePausedTask } from '../../../../src/engine/worker/admission/paused-tasks.ts';
import { createFakeState } from '../../broker/fake-state.ts';
import { FakeBroker } from '../fake-broker.ts';
import { FakeJob } from '../fake-job.ts';
import { createFakeClock, recordHooks, recordLog } from '../recorded.ts';

const tasks = [
  defineTask('plain', () => undefined),
  defineTask('limited', { concurrency: { limit: 1, key: (tenant: string) => tenant } }, (_tenant: string) => undefined),
  defineTask('rated', { rateLimit: '1/h' }, () => undefined),
];

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function setUp(given: { readonly state?: Partial<StateStore>; readonly refusing?: boolean } = {}) {
  const clock = createFakeClock();
  const log = recordLog();
  const { hooks, names } = recordHooks();
  const broker = new FakeBroker();
  const state = { ...createFakeState(), ...given.state };
  const calls: string[] = [];
  const counted = new Proxy(state, {
    get(target, name: keyof StateStore) {
      calls.push(name);
      return target[name];
    },
  });
  const admission = new Admission({
    worker: 'tq@a',
    broker: { state: counted, queue: (name: string) => broker.queue(name) },
    queues: () => ['default'],
    tasks: new Map(tasks.map((task) => [task.name, task as never])),
    clock,
    logger: log.logger,
    hooks,
    lockDurationMs: 30_000,
    maxWorkerLost: 3,
    isRefusing: () => given.refusing ?? false,
  });
  stops.push(() => admission.stop());
  return { admission, state, broker, log, calls, clock, hookNames: names };
}

const take = (task: string, args: unknown[] = [], more: object = {}): FakeJob =>
  new FakeJob({ id: `${task}-${args.join()}`, task, args, ...more });

test('a job of a task without limits is admitted at once, without a word to the store', async () => {
  const { admission, calls } = setUp();
  await admission.start();
  calls.length = 0;
  expect(admission.admit(take('plain'))).toBeUndefined();
  expect(admission.admit(take('unknown'))).toBeUndefined();
  expect(calls).toEqual([]);
});

test('a paused task is known from the start, its jobs are held, and other tasks are not asked about', async () => {
  const { admission, state } = setUp();
  await writePausedTask(state, { task: 'plain', since: 1 });
  await admission.start();
  expect(await admission.admit(take('plain'))).toEqual({ outcome: { kind: 'held', delayMs: 3_600_000 } });
  expect(await state.size('held/default/plain/pause/')).toBe(1);
  const rated = await admission.admit(take('rated'));
  expect(rated?.outcome).toBeUndefined();
});

test('what is refused anyway is left to the pool', async () => {
  const expired = setUp();
  await writePausedTask(expired.state, { task: 'plain', since: 1 });
  await expired.admission.start();
  expect(expired.admission.admit(take('plain', [], { meta: { expiresAt: 5 } }))).toBeUndefined();
  expect(expired.admission.admit(take('plain', [], { unreadable: 'no JSON' }))).toBeUndefined();
  const refusing = setUp({ refusing: true });
  await writePausedTask(refusing.state, { task: 'plain', since: 1 });
  await refusing.admission.start();
  expect(refusing.admission.admit(take('plain'))).toBeUndefined();
});

test('a job that gets no place is held, and let go when the one that has it ends', async () => {
  const { admission, state, broker } = setUp();
  await admission.start();
  const first = await admission.admit(take('limited', ['a']));
  expect(first?.outcome).toBeUndefined();
  const second = await admission.admit(take('limited', ['a'], { id: 'second' }));
  expect(second?.outcome).toEqual({ kind: 'held', delayMs: 1000 });
  const third = await admission.admit(take('limited', ['a'], { id: 'third', createdAt: 2_000_000 }));
  // The safety net lets them come back one after the other.
  expect(third?.outcome).toEqual({ kind: 'held', delayMs: 2000 });
  expect((await admission.admit(take('limited', ['b'])))?.outcome).toBeUndefined();
  await first?.end?.();
  expect(broker.queue('default').promoted).toEqual(['second']);
  expect(await state.size('held/default/limited/')).toBe(1);
});

test('a job that waits for its rate has no place', async () => {
  const both = defineTask('both', { concurrency: 1, rateLimit: '1/h' }, () => undefined);
  tasks.push(both as never);
  const { admission, state } = setUp();
  await admission.start();
  const first = await admission.admit(take('both', [1]));
  await first?.end?.();
  expect((await admission.admit(take('both', [2])))?.outcome).toMatchObject({ kind: 'held' });
  expect((await admission.admit(take('both', [3])))?.outcome).toMatchObject({ kind: 'held' });
  expect(await state.size('held/default/both/rate/')).toBe(2);
});

test('trouble with the broker holds the job for a moment, and takes no attempt and no place', async () => {
  const fail = async (): Promise<never> => {
    throw createError('BROKER_UNAVAILABLE', { url: 'x', doing: 'occupying', reason: 'gone', causes: 'start it' });
  };
  const { admission, log } = setUp({ state: { occupy: fail } });
  await admission.start();
  const admitted = await admission.admit(take('limited', ['a']));
  expect(admitted).toEqual({ outcome: { kind: 'held', delayMs: 1000 } });
  expect(log.messages).toContain('could not look whether a job may start, it is held');
});

test('a store without tables for the state pauses nothing, and is no trouble', async () => {
  const fail = async (): Promise<never> => {
    throw createError('BROKER_UNSUITABLE', { url: 'x', reason: 'no tables', remedy: 'run `tq migrate`' });
  };
  const { admission } = setUp({ state: { list: fail } });
  await admission.start();
  expect(admission.admit(take('plain'))).toBeUndefined();
});

test('a key function that throws makes a dead letter, which log and hooks hear of', async () => {
  const { admission, hookNames } = setUp();
  await admission.start();
  const key = tasks.find(({ name }) => name === 'limited')?.concurrency;
  vi.spyOn(key as { key: () => string }, 'key').mockImplementation(() => {
    throw new Error('no tenant');
  });
  const admitted = await admission.admit(take('limited', []));
  vi.restoreAllMocks();
  expect(admitted?.outcome).toMatchObject({ kind: 'dead', error: { code: 'CONCURRENCY_KEY_FAILED' } });
  expect(hookNames()).toEqual(['taskDead']);
});

test.each([[undefined], [null], [{}], [Number.NaN], [Promise.resolve('a')]])('the key %s is none', async (given) => {
  const { admission } = setUp();
  await admission.start();
  const admitted = await admission.admit(take('limited', [given]));
  expect(admitted?.outcome).toMatchObject({ kind: 'dead', error: { code: 'CONCURRENCY_KEY_FAILED' } });
});

test('jobs of two queues that have the same number have a place each', async () => {
  const { admission } = setUp();
  await admission.start();
  const first = await admission.admit(take('limited', ['a'], { id: '1', queue: 'default' }));
  const second = await admission.admit(take('limited', ['a'], { id: '1', queue: 'other' }));
  expect(first?.outcome).toBeUndefined();
  expect(second?.outcome).toMatchObject({ kind: 'held' });
});

test('a worker that stops does not wait for a lost broker: jobs at the gate go back, and ends do not wait', async () => {
  const never = new Promise<never>(() => {});
  const lost = { isLost: false };
  const { occupy, ...fake } = createFakeState();
  const { admission } = setUp({
    state: {
      ...fake,
      occupy: (...args) => (lost.isLost ? never : occupy(...args)),
      vacate: () => never,
    },
  });
  await admission.start();
  const first = await admission.admit(take('limited', ['a']));
  lost.isLost = true;
  const second = admission.admit(take('limited', ['b']));
  const ended = first?.end?.();
  admission.abandon();
  await ended;
  expect(await second).toEqual({ outcome: { kind: 'released' } });
  await admission.stop();
});

test('a rate that is changed in all workers lets go what a worker held that is gone, in one only its own', async () => {
  const { admission, state, broker } = setUp();
  await admission.start();
  const gone = new FakeJob({ id: 'of-a-dead-one', task: 'rated' });
  await state.write(heldKey(gone, 'rate'), encodeHeld(gone, 'tq@dead'));
  admission.letGoRate({ task: 'rated', toAll: false });
  await admission.admit(take('rated'));
  expect(broker.queue('default').promoted).toEqual([]);
  admission.letGoRate({ task: 'rated', toAll: true });
  await vi.waitFor(() => expect(broker.queue('default').promoted).toEqual(['of-a-dead-one']));
});
