import type { StandardSchemaV1 } from '@standard-schema/spec';
import * as v from 'valibot';
import { describe, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import {
  type AsyncResult,
  type CallOptions,
  context,
  createApp,
  defineTask,
  type Task,
  type TaskContext,
  type TaskDefinition,
} from '../../src/index.ts';
import { runTask, type TaskRun } from '../../src/testing.ts';

const app = createApp();

describe('a task without a schema', () => {
  const add = app.task('add', (a: number, b: number) => a + b);
  const greet = app.task('greet', { queue: 'low' }, async (name: string, times?: number) => ({ text: name, times }));

  test('carries the arguments and the result of its handler', () => {
    expectTypeOf(add).toEqualTypeOf<Task<[a: number, b: number], number>>();
    expectTypeOf(add.delay).parameters.toEqualTypeOf<[a: number, b: number]>();
    expectTypeOf(add.delay(1, 2)).toEqualTypeOf<Promise<AsyncResult<number>>>();
    expectTypeOf(add.apply([1, 2], { countdown: '10s' })).toEqualTypeOf<Promise<AsyncResult<number>>>();
    expectTypeOf(add.bulk([[1, 2]])).toEqualTypeOf<Promise<AsyncResult<number>[]>>();
    expectTypeOf(add(1, 2)).toEqualTypeOf<Promise<number>>();
  });

  test('unwraps the promise of an asynchronous handler and keeps optional arguments', async () => {
    const result = await greet.delay('a');
    expectTypeOf(result.get()).resolves.toEqualTypeOf<{ text: string; times: number | undefined }>();
    expectTypeOf(greet.delay).parameters.toEqualTypeOf<[name: string, times?: number | undefined]>();
  });

  test('refuses wrong calls', () => {
    // @ts-expect-error the second argument is missing
    void add.delay(1);
    // @ts-expect-error a text is no number
    void add.delay('1', 2);
    // @ts-expect-error a third argument
    void add.delay(1, 2, 3);
    // @ts-expect-error the arguments are a list
    void add.apply(1, 2);
    // @ts-expect-error one of the lists is too short
    void add.bulk([[1, 2], [1]]);
    // @ts-expect-error many jobs cannot have one id
    void add.bulk([[1, 2]], { id: 'one' });
    // @ts-expect-error no such option
    void add.apply([1, 2], { countDown: 5 });
    // @ts-expect-error also as a plain function
    void add('1', 2);
  });
});

describe('the unique key of a task', () => {
  test('takes the arguments of the function, or what the schema takes in', () => {
    app.task('unique.plain', { unique: { key: (a, b) => [a, b] } }, (a: number, b: string) => a + b.length);
    const input = z.object({ at: z.coerce.date<string>() });
    app.task('unique.input', { input, unique: { key: ({ at }) => at.toUpperCase() } }, ({ at }) => at.getTime());
    const args = z.tuple([z.string(), z.number()]);
    app.task('unique.args', { args, unique: { key: (text, n) => `${text.trim()} ${n.toFixed()}` } }, () => undefined);
    // @ts-expect-error an object is no key
    app.task('unique.wrong', { unique: { key: (a) => ({ a }) } }, (a: number) => a);
  });
});

describe('a task with the schema of its only argument', () => {
  const mail = app.task(
    'mail',
    { input: z.object({ to: z.string(), at: z.coerce.date<string>(), tags: z.array(z.string()).default([]) }) },
    (given) => {
      expectTypeOf(given).toEqualTypeOf<{ to: string; at: Date; tags: string[] }>();
      return given.tags.length;
    },
  );

  test('takes what goes into the schema and gives its handler what comes out', () => {
    expectTypeOf(mail.delay).parameters.toEqualTypeOf<[{ to: string; at: string; tags?: string[] | undefined }]>();
    expectTypeOf(mail.delay({ to: 'a', at: '2030-01-01' })).resolves.toEqualTypeOf<AsyncResult<number>>();
    // @ts-expect-error a Date comes out of the schema, it does not go in
    void mail.delay({ to: 'a', at: new Date() });
    // @ts-expect-error `to` is missing
    void mail.apply([{ at: '2030-01-01' }]);
    // @ts-expect-error a second argument
    void mail.delay({ to: 'a', at: '2030-01-01' }, 5);
  });

  test('takes any Standard Schema', () => {
    const valibot = app.task('v', { input: v.object({ n: v.pipe(v.string(), v.transform(Number)) }) }, ({ n }) => n);
    expectTypeOf(valibot.delay).parameters.toEqualTypeOf<[{ n: string }]>();
    expectTypeOf(valibot.delay({ n: '5' })).resolves.toEqualTypeOf<AsyncResult<number>>();
    const own = {} as StandardSchemaV1<string, { length: number }>;
    const byHand = app.task('h', { input: own }, ({ length }) => length);
    expectTypeOf(byHand).toEqualTypeOf<Task<[string], number>>();
  });

  test('refuses a handler that does not fit the schema', () => {
    // @ts-expect-error the schema gives a text
    app.task('wrong', { input: z.string() }, (given: number) => given);
    // @ts-expect-error either input or args
    app.task('both', { input: z.string(), args: z.tuple([z.string()]) }, () => {});
  });
});

describe('a task with the schema of all its arguments', () => {
  const resize = app.task('resize', { args: z.tuple([z.string(), z.coerce.number<string>()]) }, async (file, width) => {
    expectTypeOf(file).toEqualTypeOf<string>();
    expectTypeOf(width).toEqualTypeOf<number>();
    return { file, width };
  });

  test('takes them as ordinary arguments', () => {
    expectTypeOf(resize.delay).parameters.toEqualTypeOf<[string, string]>();
    expectTypeOf(resize.delay('a', '5')).resolves.toEqualTypeOf<AsyncResult<{ file: string; width: number }>>();
    // @ts-expect-error the number goes in as a text
    void resize.delay('a', 5);
    // @ts-expect-error no list: its schema is one of a tuple
    void resize.delay(['a', '5']);
  });
});

describe('defineTask and register', () => {
  const definition = defineTask('count', { input: z.object({ n: z.string().transform(Number) }) }, ({ n }) => [n]);

  test('carry the same types', () => {
    expectTypeOf(definition).toEqualTypeOf<TaskDefinition<[{ n: string }], number[]>>();
    expectTypeOf(app.register(definition)).toEqualTypeOf<Task<[{ n: string }], number[]>>();
    expectTypeOf(defineTask('plain', (a: string) => a)).toEqualTypeOf<TaskDefinition<[a: string], string>>();
    // @ts-expect-error no such option
    defineTask('wrong', { retries: 5 }, () => {});
    // @ts-expect-error a task needs a function
    defineTask('wrong', {});
  });
});

describe('calls by name', () => {
  test('have the result that the caller claims, unknown without', () => {
    expectTypeOf(app.send('a')).resolves.toEqualTypeOf<AsyncResult<unknown>>();
    expectTypeOf(app.send<string>('a', [1])).resolves.toEqualTypeOf<AsyncResult<string>>();
    expectTypeOf(app.sendBulk<number>('a', [[1]])).resolves.toEqualTypeOf<AsyncResult<number>[]>();
    expectTypeOf(app.result<boolean>('id').get()).resolves.toEqualTypeOf<boolean>();
    // @ts-expect-error the arguments are a list
    void app.send('a', 'b');
  });
});

describe('call options', () => {
  test('are typed', () => {
    expectTypeOf<CallOptions>().toHaveProperty('eta').toEqualTypeOf<Date | string | number | undefined>();
    expectTypeOf<CallOptions>().toHaveProperty('expires').toEqualTypeOf<Date | string | number | undefined>();
    const good: CallOptions = { retry: { max: 3, backoff: 'linear' }, headers: { a: 'b' }, priority: 5 };
    expectTypeOf(good).toExtend<CallOptions>();
    // @ts-expect-error a class cannot travel with a call
    const onClass: CallOptions = { retry: { on: TypeError } };
    // @ts-expect-error a function cannot either
    const ownBackoff: CallOptions = { retry: { backoff: () => 5 } };
    // @ts-expect-error headers are texts
    const headers: CallOptions = { headers: { n: 5 } };
    expectTypeOf([onClass, ownBackoff, headers]).toBeArray();
  });
});

describe('context()', () => {
  test('is the context of a task', () => {
    expectTypeOf(context).returns.toEqualTypeOf<TaskContext>();
    expectTypeOf<TaskContext['attempt']>().toEqualTypeOf<number>();
    expectTypeOf<TaskContext['parentId']>().toEqualTypeOf<string | null>();
    expectTypeOf<TaskContext['signal']>().toEqualTypeOf<AbortSignal>();
    expectTypeOf<TaskContext['headers']>().toEqualTypeOf<Readonly<Record<string, string>>>();
    expectTypeOf<TaskContext['progress']>().returns.toEqualTypeOf<Promise<void>>();
    expectTypeOf<TaskContext['retry']>().returns.toExtend<Error>();
  });
});

describe('runTask', () => {
  const task = app.task('t', { input: z.object({ n: z.string().transform(Number) }) }, ({ n }) => n);

  test('carries the types of a task and of its definition', () => {
    expectTypeOf(runTask(task, [{ n: '5' }])).resolves.toEqualTypeOf<TaskRun<number>>();
    expectTypeOf(runTask(task.definition, [{ n: '5' }], { attempt: 2 })).resolves.toEqualTypeOf<TaskRun<number>>();
    // @ts-expect-error the input is a text
    void runTask(task, [{ n: 5 }]);
    // @ts-expect-error no such part of the context
    void runTask(task, [{ n: '5' }], { attempts: 2 });
  });
});
