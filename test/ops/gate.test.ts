import { minLength, number, pipe, strictObject, string } from 'valibot';
import { describe, expect, test } from 'vitest';
import type { TqError } from '../../src/engine/core/errors.ts';
import { execute, type GateOptions } from '../../src/ops/gate.ts';
import { defineOperation, type Plan, type Progress } from '../../src/ops/operation.ts';
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
