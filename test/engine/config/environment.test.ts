import { afterEach, describe, expect, test, vi } from 'vitest';
import { readEnvironment } from '../../../src/engine/config/environment.ts';
import { SETTING_NAMES, SETTINGS } from '../../../src/engine/config/schema.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('reads the environment of the process when given none', () => {
  vi.stubEnv('SMTP_URL', 'smtp://localhost');
  expect(readEnvironment().smtpUrl).toBe('smtp://localhost');
});

test('every setting with a flag has a TQ_ variable', () => {
  const without = SETTING_NAMES.filter((name) => SETTINGS[name].flag !== null && SETTINGS[name].variable === null);
  expect(without).toEqual([]);
});

test('turns the text of each variable into what a file would hold', () => {
  const { settings } = readEnvironment({
    TQ_CONCURRENCY: ' 8 ',
    TQ_JSON: 'YES',
    TQ_QUEUES: 'a, b',
    TQ_LOG_LEVEL: 'WARN',
  });
  expect(settings.get('worker.concurrency')).toEqual({ where: 'TQ_CONCURRENCY', value: 8 });
  expect(settings.get('json')?.value).toBe(true);
  expect(settings.get('worker.queues')?.value).toEqual(['a', 'b']);
  expect(settings.get('logLevel')?.value).toBe('warn');
});

test('a variable that is set to nothing counts as not set', () => {
  const { settings, redis } = readEnvironment({
    TQ_APP: '',
    TQ_JSON: ' ',
    REDIS_URL: '',
    REDIS_HOST: '',
    NO_COLOR: '',
  });
  expect([...settings.keys()]).toEqual([]);
  expect(redis).toBeUndefined();
});

test('gives the variables of mail and of Node', () => {
  const environment = readEnvironment({ NODE_ENV: 'production', EMAIL_FROM: 'a@b.c' });
  expect(environment).toMatchObject({ nodeEnv: 'production', emailFrom: 'a@b.c', smtpUrl: undefined });
});

describe('a variable that begins with TQ_ and is unknown', () => {
  test('is a warning with the nearest name', () => {
    expect(readEnvironment({ TQ_CONCURENCY: '4', TQ_XYZZY: '1' }).warnings).toEqual([
      'TQ_CONCURENCY is no variable of tq; did you mean TQ_CONCURRENCY?',
      'TQ_XYZZY is no variable of tq',
    ]);
  });

  test('is no warning when it belongs to the tests', () => {
    expect(readEnvironment({ TQ_TEST_REDIS_URL: 'redis://x' }).warnings).toEqual([]);
  });
});

describe('the variables of Redis', () => {
  test.each([
    [{ REDIS_HOST: 'db' }, 'redis://db:6379/0'],
    [{ REDIS_PORT: '7000' }, 'redis://localhost:7000/0'],
    [{ REDIS_DB: '3' }, 'redis://localhost:6379/3'],
    [{ REDIS_PASSWORD: 'p@ss/w:rd %' }, 'redis://:p%40ss%2Fw%3Ard%20%25@localhost:6379/0'],
    [{ REDIS_HOST: '::1', REDIS_PORT: '1', REDIS_DB: '2', REDIS_PASSWORD: 'x' }, 'redis://:x@[::1]:1/2'],
    [{ REDIS_URL: 'redis://one', REDIS_HOST: 'two' }, 'redis://one'],
  ])('%j make the URL %s', (env, url) => {
    expect(readEnvironment(env).redis).toMatchObject({ value: url, mistakes: [] });
  });

  test('make no URL when none is set', () => {
    expect(readEnvironment({}).redis).toBeUndefined();
  });

  test('leave out the REDIS_PORT that Kubernetes sets beside a service named redis', () => {
    expect(readEnvironment({ REDIS_PORT: 'tcp://10.0.0.1:6379' }).redis).toBeUndefined();
    expect(readEnvironment({ REDIS_HOST: 'db', REDIS_PORT: 'tcp://10.0.0.1:6379' }).redis?.value).toBe(
      'redis://db:6379/0',
    );
  });

  test('collect what is wrong with them, without the password', () => {
    const env = { REDIS_HOST: 'a b@secret', REDIS_PORT: '99999', REDIS_DB: '-1', REDIS_PASSWORD: 'hunter2' };
    const mistakes = readEnvironment(env).redis?.mistakes ?? [];
    expect(mistakes.map((line) => line.split(' ')[0])).toEqual(['REDIS_HOST', 'REDIS_PORT', 'REDIS_DB']);
    expect(mistakes.join()).not.toMatch(/hunter2|secret/);
  });
});

describe('colours', () => {
  test.each([
    [{ NO_COLOR: '1' }, true],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true],
    [{ FORCE_COLOR: '1' }, false],
    [{ FORCE_COLOR: '0' }, true],
    [{ TQ_NO_COLOR: '0', NO_COLOR: '1' }, false],
    [{}, undefined],
  ])('%j sets noColor to %s', (env, noColor) => {
    expect(readEnvironment(env).settings.get('noColor')?.value).toBe(noColor);
  });
});
