import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { createError } from '../../src/engine/core/errors.ts';
import { isRetryable, retryDelayMs } from '../../src/engine/core/retry-policy.ts';
import { builtinTasks } from '../../src/tasks/builtin-tasks.ts';
import type { EmailResult } from '../../src/tasks/email/email-result.ts';
import { createTestEnvironment } from './task-context.ts';

const tasks = builtinTasks({}, createTestEnvironment('/nowhere'));
const refusal = createError('FILE_REFUSED', { doing: 'reading', path: 'a', reason: 'none' });
const highest = (): number => 0.999_999_999;

describe('builtinTasks', () => {
  it('gives each task under its own name, with a description and a schema', () => {
    expect(Object.keys(tasks)).toEqual([
      'email.send',
      'email.verification',
      'email.password-reset',
      'email.welcome',
      'image.thumbnail',
      'image.resize',
      'file.cleanup',
      'file.cleanup-temporary',
      'health.check',
    ]);
    for (const [name, task] of Object.entries(tasks)) {
      expect(task.name).toBe(name);
      expect(task.description).toMatch(/\.$/);
      expect(task.input).toBeDefined();
    }
  });

  it('carries the types of input and result', () => {
    type Types = NonNullable<(typeof tasks)['email.send']['types']>;
    expectTypeOf<Types['result']>().toEqualTypeOf<EmailResult>();
    expectTypeOf<Types['args'][0]['subject']>().toEqualTypeOf<string | undefined>();
  });

  it('retries e-mail five times, from one minute doubling to at most ten, with full jitter', () => {
    for (const name of ['email.send', 'email.verification', 'email.password-reset', 'email.welcome'] as const) {
      const { retry } = tasks[name];
      expect(retry.max).toBe(5);
      expect([1, 2, 3, 4, 5].map((n) => retryDelayMs(retry, n, null, highest))).toEqual([
        60_000, 120_000, 240_000, 480_000, 600_000,
      ]);
      expect(retryDelayMs(retry, 1, null, () => 0)).toBe(0);
    }
  });

  it('retries work on files three times', () => {
    for (const name of ['image.thumbnail', 'image.resize', 'file.cleanup', 'file.cleanup-temporary'] as const) {
      expect(tasks[name].retry.max).toBe(3);
      expect(retryDelayMs(tasks[name].retry, 3, null, highest)).toBeLessThanOrEqual(60_000);
    }
  });

  it('never retries a refusal and retries everything else', () => {
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    for (const task of Object.values(tasks)) {
      expect(isRetryable(refusal, task.retry)).toBe(false);
      expect(isRetryable(createError('EMAIL_REFUSED', { to: 'a', reason: 'b' }), task.retry)).toBe(false);
      expect(isRetryable(createError('EMAIL_FAILED', { to: 'a', server: 'b', reason: 'c' }), task.retry)).toBe(true);
      expect(isRetryable(full, task.retry)).toBe(true);
    }
  });

  it('loads no mail, picture or glob library before a job needs it', async () => {
    const entry = new URL('../../src/tasks/builtin-tasks.ts', import.meta.url).href;
    const script = `
      import { registerHooks } from 'node:module';
      const packages = new Set();
      registerHooks({ load(url, context, next) {
        const name = /node_modules\\/((?:@[^/]+\\/)?[^/]+)\\//.exec(url)?.[1];
        if (name) packages.add(name);
        return next(url, context);
      } });
      const { builtinTasks } = await import(${JSON.stringify(entry)});
      builtinTasks({}, { smtpUrl: 'smtp://localhost', emailFrom: undefined, production: false, cwd: '/' });
      console.log(JSON.stringify([...packages].sort()));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
    expect(JSON.parse(stdout)).toEqual(['fastest-levenshtein', 'valibot']);
  });
});
