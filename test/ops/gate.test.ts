import { minLength, number, pipe, strictObject, string } from 'valibot';
import { describe, expect, test } from 'vitest';
import { createError, type TqError } from '../../src/engine/core/errors.ts';
import type { AuditRecord } from '../../src/ops/audit-log.ts';
import { callTask } from '../../src/ops/call-task.ts';
import { execute, type GateOptions, type ProtectedProfile } from '../../src/ops/gate.ts';
import { defineOperation, type Plan, type Progress } from '../../src/ops/operation.ts';
import { NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

const input = strictObject({ name: pipe(string(), minLength(2)), size: number() });
const good = { name: 'ab', size: 1 };

/** An operation that writes down what the gate makes it do. */
function setup(effect: 'write' | 'destructive', count: number) {
  const calls: string[] = [];
  const operation = defineOperation({
    name: 'paint-fence',
    effect,
    summary: 'Paint the fence',
    input,
    async plan(): Promise<Plan> {
      calls.push('plan');
      return { summary: `would paint ${count} boards`, count, rows: [] };
    },
    async run(_session, given, { progress }) {
      calls.push('run');
      progress(1);
      return given.size;
    },
    commandLine: () => ['paint'],
  });
  const run = (options: Partial<GateOptions> = {}, given: unknown = good) =>
    execute(operation, given, { session: createFakeSession(), ...options });
  return { calls, run };
}

async function errorOf(promise: Promise<unknown>): Promise<TqError> {
  return await promise.then(
    () => expect.unreachable('it should have been refused'),
    (error: TqError) => error,
  );
}

describe('a read', () => {
  const lookAround = defineOperation({
    name: 'look-around',
    effect: 'read',
    summary: 'Look around',
    input,
    run: async (_session, { size }) => size,
    commandLine: () => ['look'],
  });

  test('runs at once, also in a read-only session and under a dry run', async () => {
    for (const options of [{}, { readOnly: true }, { dryRun: true }]) {
      const execution = await execute(lookAround, good, { session: createFakeSession(), ...options });
      expect(execution).toEqual({ kind: 'done', result: 1 });
    }
  });
});

describe('an operation that changes something', () => {
  test('under a dry run gives its plan, changes nothing and asks nobody', async () => {
    const { calls, run } = setup('destructive', 3);
    const execution = await run({ dryRun: true, yes: true, confirm: () => expect.unreachable('asked') });
    expect(execution).toEqual({ kind: 'planned', plan: { summary: 'would paint 3 boards', count: 3, rows: [] } });
    expect(calls).toEqual(['plan']);
  });

  test.each(['write', 'destructive'] as const)('asks with its plan when it touches jobs (%s)', async (effect) => {
    const { calls, run } = setup(effect, 3);
    const asked: Plan[] = [];
    const execution = await run({ confirm: async (plan) => asked.push(plan) > 0 });
    expect(asked).toEqual([{ summary: 'would paint 3 boards', count: 3, rows: [] }]);
    expect(execution).toEqual({ kind: 'done', result: 1 });
    expect(calls).toEqual(['plan', 'run']);
  });

  test('does nothing when the answer is no', async () => {
    const { calls, run } = setup('destructive', 3);
    const error = await errorOf(run({ confirm: async () => false }));
    expect(error).toMatchObject({ code: 'NOT_CONFIRMED', exitCode: 1 });
    expect(calls).toEqual(['plan']);
  });

  test('does nothing where nobody can be asked', async () => {
    const { calls, run } = setup('destructive', 3);
    const error = await errorOf(run());
    expect(error).toMatchObject({ code: 'NEEDS_CONFIRMATION', exitCode: 2 });
    expect(error.message).toContain('3 jobs');
    expect(calls).toEqual(['plan']);
  });

  test('does not ask when nothing would be touched, or when it was told yes', async () => {
    const confirm = () => expect.unreachable('asked');
    expect(await setup('destructive', 0).run({ confirm })).toEqual({ kind: 'done', result: 1 });
    expect(await setup('destructive', 3).run({ confirm, yes: true })).toEqual({ kind: 'done', result: 1 });
  });

  test('is refused in a read-only session, which may still look at its plan', async () => {
    const { calls, run } = setup('write', 0);
    expect(await errorOf(run({ readOnly: true, yes: true }))).toMatchObject({ code: 'READ_ONLY', exitCode: 2 });
    expect(calls).toEqual([]);
    expect(await run({ readOnly: true, dryRun: true })).toMatchObject({ kind: 'planned' });
  });

  test('tells its plan before it runs, and its progress against the count of the plan', async () => {
    const { calls, run } = setup('write', 3);
    const progress: Progress[] = [];
    await run({
      yes: true,
      onPlan: ({ count }) => calls.push(`seen ${count}`),
      onProgress: (now) => progress.push(now),
    });
    expect(calls).toEqual(['plan', 'seen 3', 'run']);
    expect(progress).toEqual([{ done: 1, total: 3 }]);
  });
});

describe('a wrong input', () => {
  test('is refused with every problem at once, before anything is looked up', async () => {
    const { calls, run } = setup('write', 3);
    const error = await errorOf(run({}, { name: 'a', size: 'big', colour: 'red' }));
    expect(error).toMatchObject({ code: 'USAGE', exitCode: 2 });
    expect(error.message).toMatch(/name: .*size: .*colour: /s);
    expect(calls).toEqual([]);
  });

  test('may hold undefined for what is absent', async () => {
    expect(await setup('write', 0).run({}, { ...good, colour: undefined })).toMatchObject({ kind: 'done' });
  });
});

describe('the audit', () => {
  const auditor = { user: 'ada', host: 'box', profile: 'prod' };

  function audited(run: (progress: (done: number) => void, signal: AbortSignal) => Promise<unknown>) {
    const session = createFakeSession();
    const operation = defineOperation({
      name: 'paint-fence',
      effect: 'destructive',
      summary: 'Paint the fence',
      input,
      plan: async (): Promise<Plan> => ({ summary: 'would paint', count: 3, rows: [] }),
      run: (_session, _input, { progress, signal }) => run(progress, signal),
      commandLine: ({ name }) => ['paint', name],
    });
    const stopping = new AbortController();
    const notes: string[] = [];
    const start = () =>
      execute(
        operation,
        { ...good, name: "o'hara" },
        {
          ...{ session, yes: true, auditor, signal: stopping.signal, warn: (text: string) => notes.push(text) },
        },
      );
    const read = async () => {
      const [entry] = await session.fake.state.list('audit/');
      return entry === undefined ? undefined : (JSON.parse(entry.value) as AuditRecord);
    };
    return { session, start, stopping, notes, read };
  }

  test('says that a run has begun, and then that it is done', async () => {
    let during: AuditRecord | undefined;
    const { start, read } = audited(async (progress) => {
      during = await read();
      progress(3);
    });
    await start();
    const begun = { operation: 'paint-fence', command: "tq paint 'o'\\''hara'", ...auditor, at: NOW, planned: 3 };
    expect(during).toMatchObject({ ...begun, end: 'running', endedAt: null, changed: null });
    expect(await read()).toMatchObject({ ...begun, end: 'done', endedAt: NOW, changed: 3, error: null, bundle: null });
  });

  test('says how far a run came that failed, and why', async () => {
    const { start, read } = audited(async (progress) => {
      progress(2);
      throw new Error('no paint');
    });
    await expect(start()).rejects.toThrow('no paint');
    expect(await read()).toMatchObject({ end: 'failed', changed: 2, error: 'no paint' });
  });

  test('says that a run was stopped, and so does its outcome', async () => {
    const { start, stopping, read } = audited(async (progress, signal) => {
      progress(1);
      stopping.abort();
      return signal.aborted;
    });
    expect(await start()).toEqual({ kind: 'done', result: true, stopped: { done: 1, total: 3, undo: null } });
    expect(await read()).toMatchObject({ end: 'stopped', changed: 1 });
  });

  test('knows nothing of what was not confirmed, of a dry run and of a call', async () => {
    const { run } = setup('write', 3);
    const session = createFakeSession();
    await errorOf(run({ session, auditor, confirm: async () => false }));
    await run({ session, auditor, dryRun: true });
    await execute(callTask, { task: 'email.send' }, { session, auditor });
    expect(await session.fake.state.size('audit/')).toBe(0);
  });

  test('that cannot be written is a warning, and stops nothing', async () => {
    const { session, start, notes } = audited(async () => 'painted');
    session.fake.state.write = async () => {
      throw new Error('no room');
    };
    expect(await start()).toMatchObject({ kind: 'done', result: 'painted' });
    expect(notes).toEqual([expect.stringMatching(/the audit does not know of \S+: no room/), expect.any(String)]);
  });

  test('is left out, in silence, by a store that has no place for it', async () => {
    const { session, start, notes } = audited(async () => 'painted');
    session.fake.state.write = async () => {
      throw createError('BROKER_UNSUITABLE', { url: 'postgres://x', reason: 'no table', remedy: 'x' });
    };
    expect(await start()).toMatchObject({ kind: 'done', result: 'painted' });
    expect(notes).toEqual([]);
  });
});

describe('a protected profile', () => {
  const rowsOf = (...queues: string[]) => queues.map((queue) => ({ queue, jobs: 60 }));

  function guarded(count: number, queues: string[], profile: Partial<ProtectedProfile> = {}) {
    const operation = defineOperation({
      name: 'burn-fence',
      effect: 'destructive',
      summary: 'Burn the fence',
      input,
      plan: async (): Promise<Plan> => ({ summary: 'would burn', count, rows: rowsOf(...queues) }),
      run: async () => 'burnt',
      commandLine: () => ['burn'],
    });
    const session = createFakeSession();
    return execute(operation, good, { session, yes: true, protectedProfile: { name: 'prod', ...profile } });
  }

  test('has the name of the one queue typed, or its own when there are several, above 100 jobs; also under yes', async () => {
    const asked: string[] = [];
    const askName = async (name: string) => asked.push(name) > 0;
    for (const queues of [['mail'], ['mail', 'sms'], []]) {
      expect(await guarded(101, queues, { askName })).toEqual({ kind: 'done', result: 'burnt' });
    }
    expect(asked).toEqual(['mail', 'prod', 'prod']);
    expect(await guarded(100, ['mail'])).toEqual({ kind: 'done', result: 'burnt' });
  });

  test('takes the name from a script, and nothing else', async () => {
    expect(await guarded(101, ['mail'], { confirmed: 'mail' })).toEqual({ kind: 'done', result: 'burnt' });
    for (const profile of [{ confirmed: 'prod' }, {}, { askName: async () => false }]) {
      const error = await errorOf(guarded(101, ['mail'], profile));
      expect(error).toMatchObject({ code: 'NAME_NOT_CONFIRMED', exitCode: 2 });
      expect(error.next).toContain('--confirm mail');
    }
  });

  test('is named by what it refuses', async () => {
    const { run } = setup('write', 0);
    const error = await errorOf(run({ readOnly: true, protectedProfile: { name: 'prod' } }));
    expect(error).toMatchObject({ code: 'READ_ONLY', next: expect.stringContaining('--write') });
    expect(error.message).toContain('the profile prod is protected');
  });
});

test('a wish to stop is listened to only for an operation that looks for it', async () => {
  const quiet = defineOperation({
    name: 'paint-fence',
    effect: 'write',
    summary: 'Paint the fence',
    input,
    plan: async (): Promise<Plan> => ({ summary: '', count: 0, rows: [] }),
    run: async (_session, _input, { progress }) => progress(1),
    commandLine: () => [],
  });
  const execution = await execute(quiet, good, {
    session: createFakeSession(),
    get signal(): AbortSignal {
      return expect.unreachable('nobody asked for it');
    },
  });
  expect(execution).toMatchObject({ kind: 'done' });
});
