import type { GenericSchema } from 'valibot';
import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import type { Operation } from '../../src/ops/operation.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

interface WorkerCommandExample<Schema extends GenericSchema, Result> {
  readonly operation: Operation<Schema, Result>;
  /** As the workers know it. */
  readonly command: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** What a worker answers. */
  readonly reply: unknown;
  /** Of the plan, behind `would ask 1 worker`. */
  readonly aim: string;
}

/** What every operation keeps that tells live workers something (worker-command.ts). */
export function describeWorkerCommand<Schema extends GenericSchema, Result>({
  operation,
  command,
  input,
  reply,
  aim,
}: WorkerCommandExample<Schema, Result>): void {
  const createBroker = (): FakeBroker => {
    const broker = new FakeBroker();
    for (const name of ['a', 'b']) broker.control.add(name, { [command]: reply });
    return broker;
  };

  test(`a dry run says whom it would ask ${aim}, and asks nobody`, async () => {
    const broker = createBroker();
    const options = { session: createFakeSession(broker), dryRun: true };
    expect(await execute(operation, { ...input, destinations: ['b'] }, options)).toEqual({
      kind: 'planned',
      plan: {
        summary: `would ask 1 worker ${aim}`,
        count: 0,
        rows: [{ worker: 'b', host: 'box', pid: 101 }],
      },
    });
    expect(broker.control.questions).toEqual([]);
  });

  test('the workers get what was asked for, and what they answer is given', async () => {
    const broker = createBroker();
    const options = { session: createFakeSession(broker) };
    const answer = { ok: true, value: reply };
    expect(await execute(operation, input, options)).toEqual({
      kind: 'done',
      result: { answers: new Map(['a', 'b'].map((name) => [name, answer])), silent: [] },
    });
    await execute(operation, { ...input, destinations: ['b'], timeoutMs: 50 }, options);
    expect(broker.control.questions).toEqual([
      { command, args: input, timeoutMs: expect.any(Number) },
      { command, args: input, destinations: ['b'], timeoutMs: 50 },
    ]);
  });
}
