import { describe, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import {
  type AsyncResult,
  chain,
  chord,
  createApp,
  group,
  type NoInput,
  type Settled,
  type Signature,
  type StepSignature,
} from '../../src/index.ts';

const app = createApp();
const add = app.task('add', (a: number, b: number) => a + b);
const text = app.task('text', (n: number) => String(n));
const length = app.task('length', async (given: string) => given.length);
const sum = app.task('sum', (values: number[]) => values.length);
const ping = app.task('ping', () => 'pong');
const scale = app.task('scale', (n: number, by?: number) => n * (by ?? 2));
const all = app.task('all', (...ns: number[]) => ns.length);
const mail = app.task('mail', { input: z.object({ to: z.string() }) }, ({ to }) => to.length);

describe('a signature of a task', () => {
  test('with all arguments begins a workflow, without the first it takes what comes before', () => {
    expectTypeOf(add.s(1, 2)).toEqualTypeOf<StepSignature<NoInput, number>>();
    expectTypeOf(add.s(2)).toEqualTypeOf<StepSignature<number, number>>();
    expectTypeOf(mail.s({ to: 'a' })).toEqualTypeOf<StepSignature<NoInput, number>>();
    expectTypeOf(mail.s()).toEqualTypeOf<StepSignature<{ to: string }, number>>();
    expectTypeOf(ping.s()).toEqualTypeOf<StepSignature<NoInput, string>>();
    // @ts-expect-error two arguments are left
    add.s();
    // @ts-expect-error a text is no number
    add.s('1');
    // @ts-expect-error a third argument
    add.s(1, 2, 3);
    // @ts-expect-error no such property
    mail.s({ to: 'a', cc: 'b' });
  });

  test('of a task with optional arguments may be both', () => {
    expectTypeOf(scale.s(1, 2)).toEqualTypeOf<StepSignature<NoInput, number>>();
    expectTypeOf(scale.s(1)).toEqualTypeOf<StepSignature<NoInput | number, number>>();
    expectTypeOf(scale.s()).toEqualTypeOf<StepSignature<number, number>>();
    expectTypeOf(all.s(1)).toEqualTypeOf<StepSignature<NoInput | number, number>>();
    // @ts-expect-error a text is no number
    scale.s('1');
  });

  test('that is immutable takes all arguments, and follows anything', () => {
    expectTypeOf(add.si(1, 2)).toEqualTypeOf<StepSignature<unknown, number>>();
    // @ts-expect-error the second argument is missing
    add.si(1);
  });

  test('is sent with what it needs', () => {
    expectTypeOf(add.s(1, 2).delay()).toEqualTypeOf<Promise<AsyncResult<number>>>();
    expectTypeOf(add.s(1).delay(2)).toEqualTypeOf<Promise<AsyncResult<number>>>();
    expectTypeOf(add.si(1, 2).apply({ requestId: 'r' })).toEqualTypeOf<Promise<AsyncResult<number>>>();
    // @ts-expect-error it needs a number
    void add.s(2).delay();
    // @ts-expect-error it needs a number
    void add.s(2).delay('1');
    // @ts-expect-error it takes nothing
    void add.s(1, 2).delay(3);
    // @ts-expect-error it needs a number
    void add.s(2).apply({});
    void scale.s(1).delay();
    void scale.s(1).delay(5);
  });

  test('keeps its types when it is given options and callbacks', () => {
    expectTypeOf(add.s(2).set({ countdown: '5s' })).toEqualTypeOf<StepSignature<number, number>>();
    expectTypeOf(add.s(2).link(text.s()).linkError(ping.si())).toEqualTypeOf<StepSignature<number, number>>();
    // @ts-expect-error a step has no id of its own
    add.s(2).set({ id: 'x' });
    // @ts-expect-error the callback takes a text
    add.s(2).link(length.s());
    // @ts-expect-error the callback takes no failure
    add.s(2).linkError(length.s());
  });
});

describe('a chain', () => {
  test('takes what its first step takes and gives what its last gives', () => {
    expectTypeOf(chain(add.s(1, 2), text.s(), length.s())).toEqualTypeOf<Signature<NoInput, number>>();
    expectTypeOf(chain(add.s(1), text.s())).toEqualTypeOf<Signature<number, string>>();
    expectTypeOf(chain(ping.s())).toEqualTypeOf<Signature<NoInput, string>>();
    expectTypeOf(chain(add.s(1, 2), text.s()).delay()).resolves.toEqualTypeOf<AsyncResult<string>>();
    expectTypeOf(add.s(1, 2).pipe(text.s()).pipe(length.s())).toEqualTypeOf<Signature<NoInput, number>>();
    expectTypeOf(chain(ping.s(), add.si(1, 2), text.s())).toEqualTypeOf<Signature<NoInput, string>>();
    expectTypeOf(chain(chain(add.s(1, 2), text.s()), length.s())).toEqualTypeOf<Signature<NoInput, number>>();
  });

  test('with a step that does not accept what comes before it is an error at that step', () => {
    // @ts-expect-error length takes a text
    chain(add.s(1, 2), length.s());
    // @ts-expect-error text takes a number
    chain(add.s(1, 2), text.s(), text.s());
    chain(
      add.s(1, 2),
      text.s(),
      // @ts-expect-error it takes nothing: use si()
      add.s(1, 2),
    );
    // @ts-expect-error length takes a text
    add.s(1, 2).pipe(length.s());
    // @ts-expect-error tasks are no signatures
    chain(ping);
    // @ts-expect-error it needs a number
    void chain(add.s(1), text.s()).delay();
  });

  test('of any number of steps takes those that all fit each other', () => {
    const more: StepSignature<number, number>[] = [add.s(1), add.s(2)];
    expectTypeOf(chain(add.s(1, 2), ...more)).toEqualTypeOf<Signature<NoInput, number>>();
    expectTypeOf(chain(...more)).toEqualTypeOf<Signature<number, number>>();
    const texts = [text.s()];
    // @ts-expect-error a text is no number
    chain(add.s(1, 2), ...texts);
  });
});

describe('a group', () => {
  test('gives the tuple of what its members give', () => {
    expectTypeOf(group([add.s(1, 2), ping.s()])).toEqualTypeOf<Signature<NoInput, [number, string]>>();
    expectTypeOf(group(add.s(1, 2), ping.s())).toEqualTypeOf<Signature<NoInput, [number, string]>>();
    expectTypeOf(group([add.s(1), text.s()])).toEqualTypeOf<Signature<number, [number, string]>>();
    expectTypeOf(group([add.s(1), ping.si()])).toEqualTypeOf<Signature<number, [number, string]>>();
    expectTypeOf(group([])).toEqualTypeOf<Signature<unknown, []>>();
    expectTypeOf(group([1, 2].map((n) => add.s(n, n)))).toEqualTypeOf<Signature<NoInput, number[]>>();
    expectTypeOf(group([add.s(1, 2), ping.s()]).delay()).resolves.toEqualTypeOf<AsyncResult<[number, string]>>();
  });

  test('gives by its policy what became of its members', () => {
    expectTypeOf(group([add.s(1, 2), ping.s()], { onError: 'ignore' })).toEqualTypeOf<
      Signature<NoInput, (number | string)[]>
    >();
    const collected = group([add.s(1, 2), ping.s()], { onError: 'collect' });
    expectTypeOf(collected).toEqualTypeOf<Signature<NoInput, [Settled<number>, Settled<string>]>>();
    expectTypeOf(group(add.s(1, 2), ping.s(), { onError: 'collect', rest: 'leave' })).toEqualTypeOf<
      Signature<NoInput, [Settled<number>, Settled<string>]>
    >();
    // @ts-expect-error no such policy
    group([ping.s()], { onError: 'stop' });
  });

  test('of members that take different things cannot be entered', () => {
    // @ts-expect-error a number is no text
    void group([text.s(), length.s()]).delay(1);
    // @ts-expect-error one of them takes nothing
    chain(ping.s(), group([length.s(), ping.s()]));
  });
});

describe('a chord', () => {
  test('gives what its body gives, which takes what the header gives', () => {
    expectTypeOf(chord([add.s(1, 2), add.s(3, 4)], sum.s())).toEqualTypeOf<Signature<NoInput, number>>();
    expectTypeOf(chain(group([add.s(1, 2), add.s(3, 4)]), sum.s())).toEqualTypeOf<Signature<NoInput, number>>();
    expectTypeOf(group([add.s(1), add.s(3)]).pipe(sum.s())).toEqualTypeOf<Signature<number, number>>();
    expectTypeOf(chord(group([add.s(1), add.s(3)]), sum.s())).toEqualTypeOf<Signature<number, number>>();
    expectTypeOf(
      chord(
        [1, 2].map((n) => add.s(n, n)),
        sum.s(),
      ),
    ).toEqualTypeOf<Signature<NoInput, number>>();
    // @ts-expect-error a list of texts is no list of numbers
    chord([ping.s()], sum.s());
    // @ts-expect-error a list of texts is no list of numbers
    chain(group([ping.s()]), sum.s());
  });

  test('that collects gives its body what became of the members', () => {
    const judge = app.task('judge', (given: Settled<number>[]) => given.length);
    const pair = app.task('pair', ([a, b]: [Settled<number>, Settled<string>]) => [a.status, b.status]);
    expectTypeOf(chord([add.s(1, 2)], judge.s(), { onError: 'collect' })).toEqualTypeOf<Signature<NoInput, number>>();
    expectTypeOf(chord([add.s(1, 2), ping.s()], pair.s(), { onError: 'collect' })).toEqualTypeOf<
      Signature<NoInput, ('fulfilled' | 'rejected')[]>
    >();
    // @ts-expect-error the values are settled ones
    chord([add.s(1, 2)], sum.s(), { onError: 'collect' });
    // @ts-expect-error with members left out it is no pair
    chord([add.s(1, 2), ping.s()], app.task('two', ([a]: [number, string]) => a).s(), { onError: 'ignore' });
  });

  test('followed by groups joins them', () => {
    const nested = chain(group([add.s(1, 2), add.s(3, 4)]), group([sum.s(), sum.s()]), sum.s());
    expectTypeOf(nested).toEqualTypeOf<Signature<NoInput, number>>();
  });
});

describe('a task over items', () => {
  test('gives lists', () => {
    expectTypeOf(text.map([1, 2])).toEqualTypeOf<StepSignature<unknown, string[]>>();
    expectTypeOf(add.starmap([[1, 2]])).toEqualTypeOf<StepSignature<unknown, number[]>>();
    expectTypeOf(add.chunks([[1, 2]], 10)).toEqualTypeOf<Signature<unknown, number[][]>>();
    // @ts-expect-error a text is no number
    text.map(['1']);
    // @ts-expect-error an argument is missing
    add.starmap([[1]]);
  });
});
