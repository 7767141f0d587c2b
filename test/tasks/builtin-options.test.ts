import { describe, expect, it } from 'vitest';
import { TqError } from '../../src/engine/core/errors.ts';
import { parseBuiltinOptions } from '../../src/tasks/builtin-options.ts';

describe('parseBuiltinOptions', () => {
  it('gives back options without a mistake, and none for none', () => {
    const options = {
      email: { from: 'a@b.example', outbox: 'mail' },
      images: { maxPixels: 10 },
      files: { root: 'old' },
    };
    expect(parseBuiltinOptions(options)).toEqual(options);
    expect(parseBuiltinOptions(undefined)).toEqual({});
    expect(parseBuiltinOptions({ email: undefined })).toEqual({ email: undefined });
  });

  it('names every mistake at once, with near names and what was given', () => {
    const mistakes = mistakesOf({
      emial: {},
      email: { form: 'x', outbox: 3, attachmentsLimit: -1 },
      images: [],
      files: { root: '', pattern: '*' },
    });
    expect(mistakes).toEqual([
      'builtins.emial is unknown; did you mean "email"?',
      'builtins.email.form is unknown; did you mean "from"?',
      'builtins.email.outbox must be the path of a folder, got 3',
      'builtins.email.attachmentsLimit must be a whole number above 0, got -1',
      'builtins.images must be an object, got a list',
      'builtins.files.root must be the path of a folder other than the root of the file system, got ""',
      'builtins.files.pattern is unknown; known are root, temporaryRoot',
    ]);
  });

  it('takes the limits of the check of health, and names those that cannot be', () => {
    const health = {
      timeout: '2s',
      slowBroker: 50,
      deadLetters: 0,
      leastDisk: '2GB',
      leastMemory: 2.5,
      folders: ['a'],
    };
    expect(parseBuiltinOptions({ health })).toEqual({ health });
    expect(
      mistakesOf({
        health: { timeout: 0, slowBroker: '60d', queueDepth: -1, leastDisk: 'much', leastMemory: 101, folders: '/a' },
      }),
    ).toEqual([
      'builtins.health.timeout must be a duration such as 500ms or 15m, above 0 and below 25 days, got 0',
      'builtins.health.slowBroker must be a duration such as 500ms or 15m, above 0 and below 25 days, got "60d"',
      'builtins.health.queueDepth must be a whole number, 0 or above, got -1',
      'builtins.health.leastDisk must be bytes, or a text such as 500MB, got "much"',
      'builtins.health.leastMemory must be a number from 0 to 100, got 101',
      'builtins.health.folders must be a list of paths of folders, got "/a"',
    ]);
  });

  it('refuses to delete in the root of the file system', () => {
    expect(mistakesOf({ files: { root: '/', temporaryRoot: '/tmp/..' } })).toHaveLength(2);
  });

  it('is not fooled by names that every object has', () => {
    expect(mistakesOf(JSON.parse('{"constructor":{},"email":{"__proto__":"x","toString":"y"}}'))).toHaveLength(3);
  });

  it.each([1, 'yes', true, []])('refuses %j, which is no object', (value) => {
    expect(mistakesOf(value)).toHaveLength(1);
  });
});

function mistakesOf(options: unknown): string[] {
  try {
    parseBuiltinOptions(options);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(TqError);
    expect(error).toMatchObject({ code: 'INVALID_CONFIG', exitCode: 2 });
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.replace(/^ {2}- /, ''));
  }
}
