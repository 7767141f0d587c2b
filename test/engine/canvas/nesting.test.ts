import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chain, chord, group } from '../../../src/engine/canvas/constructs.ts';
import type { AnySignature, NoInput, Signature } from '../../../src/engine/canvas/signature.ts';
import { context } from '../../../src/engine/task/context.ts';
import { Reject } from '../../../src/engine/task/exceptions.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { createLiveBench, createStore, type LiveBench } from '../app/live-app.ts';
import { formatShape, listShapes, listSteps, predict, type Shape } from './shapes.ts';

interface Case {
  readonly shape: Shape;
  readonly fails: number;
}

const CASES: readonly Case[] = listShapes().flatMap((shape) =>
  [0, ...listSteps(shape)].map((fails) => ({ shape, fails })),
);

describe.each(brokersUnderTest())('on $name', (underTest) => {
  let bench: LiveBench;
  beforeAll(async () => {
    bench = createLiveBench(await createStore(underTest));
  });
  afterAll(() => bench.close());

  test(`chains, groups and chords nested two deep give what they should, whichever of their steps fails (${CASES.length} cases)`, async () => {
    const app = bench.createApp();
    const ran = new Map<string, Set<number>>();
    const step = app.task('step', async (...args: unknown[]) => {
      const [name, fails] = args.slice(-2) as [number, number];
      const workflow = context().headers.case as string;
      const own = ran.get(workflow) ?? new Set();
      ran.set(workflow, own.add(name));
      if (name === fails) throw new Reject(`step ${name} was to fail`);
      return { step: name, given: args.length > 2 ? args[0] : null };
    });
    const toSignature = (shape: Shape, fails: number): AnySignature => {
      switch (shape.kind) {
        case 'step':
          return step.s(shape.name, fails) as unknown as AnySignature;
        case 'chain':
          return chain(...(shape.steps.map((part) => toSignature(part, fails)) as never[])) as AnySignature;
        case 'group':
          return group(shape.members.map((part) => toSignature(part, fails))) as AnySignature;
        case 'chord':
          return chord(
            shape.members.map((part) => toSignature(part, fails)),
            toSignature(shape.body, fails) as never,
          ) as AnySignature;
      }
    };
    await bench.startWorker(app, { concurrency: 50 });
    const faults: string[] = [];
    const results = await Promise.all(
      CASES.map(async ({ shape, fails }, index) => {
        const signature = toSignature(shape, fails) as unknown as Signature<NoInput, unknown>;
        const sent = await signature.apply({ headers: { case: String(index) } });
        return await sent.get({ timeout: '90s' }).then(
          (value) => ({ value, error: undefined }),
          (error: Error) => ({ value: undefined, error }),
        );
      }),
    );
    // A chord that has failed is over before the last of its members.
    const broker = await app.broker();
    await expect
      .poll(
        async () => {
          const { waiting, active, blocked } = await broker.queue(bench.queue).counts();
          return { waiting, active, blocked };
        },
        { timeout: 30_000 },
      )
      .toEqual({ waiting: 0, active: 0, blocked: 0 });
    for (const [index, { shape, fails }] of CASES.entries()) {
      const wanted = predict(shape, fails);
      const { value, error } = results[index] as (typeof results)[0];
      const what = `${formatShape(shape)}${fails === 0 ? '' : ` with ${fails} failing`}`;
      if (wanted.hasFailed !== (error !== undefined))
        faults.push(`${what}: ${error?.message ?? JSON.stringify(value)}`);
      else if (JSON.stringify(value) !== JSON.stringify(wanted.value))
        faults.push(`${what} gave ${JSON.stringify(value)}`);
      const own = [...(ran.get(String(index)) ?? [])].toSorted((a, b) => a - b).join();
      const due = [...wanted.ran].toSorted((a, b) => a - b).join();
      if (own !== due) faults.push(`${what} ran ${own} and not ${due}`);
    }
    expect(faults).toEqual([]);
  }, 180_000);
});
