import type { StandardSchemaV1 } from '@standard-schema/spec';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { InvalidArguments } from '../../../src/engine/core/errors.ts';
import { parseArguments } from '../../../src/engine/task/arguments.ts';
import { defineTask, type TaskDefinition } from '../../../src/engine/task/definition.ts';

const withInput = (input: StandardSchemaV1): TaskDefinition =>
  defineTask('a.task', { input }, () => {}) as unknown as TaskDefinition;

/** A Standard Schema by hand: takes texts of at least `length` characters, gives their length. */
const textOf = (length: number, async = false): StandardSchemaV1<string, number> => ({
  '~standard': {
    version: 1,
    vendor: 'by-hand',
    validate: (value) => {
      const fits = typeof value === 'string' && value.length >= length;
      const result = fits ? { value: value.length } : { issues: [{ message: `needs ${length} characters` }] };
      return async ? Promise.resolve(result) : result;
    },
  },
});

describe.each<[string, StandardSchemaV1]>([
  ['zod', z.object({ to: z.email(), tags: z.array(z.string()).default([]) })],
  ['valibot', v.object({ to: v.pipe(v.string(), v.email()), tags: v.optional(v.array(v.string()), []) })],
])('the schema of %s', (_, schema) => {
  const definition = withInput(schema);

  test('checks the only argument and gives what it makes of it', async () => {
    expect(await parseArguments(definition, [{ to: 'a@b.co' }], 'running')).toEqual([{ to: 'a@b.co', tags: [] }]);
  });

  test('names every problem with its path', async () => {
    const error = await parseArguments(definition, [{ to: 'nobody', tags: ['a', 5] }], 'calling').catch((e) => e);
    expect(error).toBeInstanceOf(InvalidArguments);
    expect(error.message).toMatch(/^calling task "a\.task": .*input\.to: .+; input\.tags\[1\]: .+/);
  });

  test.each([[[]], [[undefined]], [['text']], [[null]]])('refuses the arguments %j', async (args) => {
    await expect(parseArguments(definition, args, 'running')).rejects.toThrow(
      'running task "a.task": the arguments do not fit its schema: input: ',
    );
  });

  test('refuses a second argument, which nobody would see', async () => {
    await expect(parseArguments(definition, [{ to: 'a@b.co' }, 1], 'calling')).rejects.toThrow(
      'it takes one argument, got 2',
    );
  });
});

describe('a schema written by hand', () => {
  test.each([false, true])('is asked, asynchronous: %s', async (async) => {
    const definition = withInput(textOf(3, async));
    expect(await parseArguments(definition, ['four'], 'running')).toEqual([4]);
    await expect(parseArguments(definition, ['no'], 'running')).rejects.toThrow('input: needs 3 characters');
  });

  test('may name its path with segments that are objects', async () => {
    const schema: StandardSchemaV1 = {
      '~standard': {
        version: 1,
        vendor: 'by-hand',
        validate: () => ({ issues: [{ message: 'no', path: [{ key: 'list' }, 2, { key: Symbol('s') }] }] }),
      },
    };
    await expect(parseArguments(withInput(schema), [1], 'running')).rejects.toThrow('input.list[2].Symbol(s): no');
  });

  test('that throws shows its own error', async () => {
    const schema: StandardSchemaV1 = {
      '~standard': {
        version: 1,
        vendor: 'by-hand',
        validate: () => {
          throw new RangeError('the schema is broken');
        },
      },
    };
    await expect(parseArguments(withInput(schema), [1], 'running')).rejects.toThrow('the schema is broken');
  });
});

describe('the schema of all arguments', () => {
  const definition = defineTask(
    'a.task',
    { args: z.tuple([z.string(), z.coerce.number()]) },
    () => {},
  ) as unknown as TaskDefinition;

  test('checks the list and gives what it makes of it', async () => {
    expect(await parseArguments(definition, ['a', '5'], 'running')).toEqual(['a', 5]);
  });

  test('names the argument that does not fit', async () => {
    await expect(parseArguments(definition, [1, 2], 'calling')).rejects.toThrow(/args\[0\]: /);
    await expect(parseArguments(definition, ['a'], 'calling')).rejects.toThrow(/args/);
  });
});

test('a task without a schema takes its arguments as they come', async () => {
  const args = [1, { a: 2 }];
  const definition = defineTask('a.task', () => {}) as unknown as TaskDefinition;
  expect(await parseArguments(definition, args, 'running')).toBe(args);
});
