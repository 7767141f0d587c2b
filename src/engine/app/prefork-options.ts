import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { livesInMemory } from '../config/sqlite-url.ts';
import type { AlertRule } from '../core/alert-rule.ts';
import { parseByteSize } from '../core/byte-size.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import type { PreforkOptions } from '../worker/prefork/prefork-pool.ts';
import type { WorkerOptions } from './contract.ts';

/** What `module: null` stands for. */
const BUILTIN_APP = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './builtin-app.ts' : './builtin-app.js', import.meta.url),
);
const OWN_OPTIONS = [
  'module',
  'maxTasksPerChild',
  'maxMemoryPerChild',
] as const satisfies readonly (keyof WorkerOptions)[];

interface Surroundings {
  /** What the app connects to; undefined leaves it to the app, in the children too. */
  readonly brokerUrl: string | undefined;
  readonly resultsUrl?: string | undefined;
  readonly alerts?: readonly AlertRule[] | undefined;
}

/**
 * The options of the pool `prefork`, checked; undefined for the pool `async`.
 *
 * @throws INVALID_OPTION
 */
export function parsePrefork(
  options: WorkerOptions,
  { brokerUrl, resultsUrl, alerts }: Surroundings,
): PreforkOptions | undefined {
  const { pool = 'async', maxTasksPerChild, maxMemoryPerChild } = options;
  if (pool !== 'async' && pool !== 'prefork') {
    throw createError('INVALID_OPTION', {
      what: 'pool of the worker',
      expected: '"async" or "prefork"',
      given: formatGiven(pool),
    });
  }
  if (pool === 'async') {
    const [stray] = OWN_OPTIONS.filter((key) => options[key] !== undefined);
    if (stray === undefined) return undefined;
    const what = `${stray} of the worker`;
    throw createError('INVALID_OPTION', { what, expected: 'left out with the pool "async"', given: 'set' });
  }
  if (livesInMemory(brokerUrl)) {
    throw createError('INVALID_OPTION', {
      what: 'pool of the worker',
      expected: '"async" with a broker that lives in the memory of one process',
      given: '"prefork"',
    });
  }
  return {
    module: parseModule(options.module),
    brokerUrl,
    resultsUrl,
    alerts,
    maxTasksPerChild: maxTasksPerChild === undefined ? undefined : parseCount(maxTasksPerChild),
    maxMemoryPerChild:
      maxMemoryPerChild === undefined ? undefined : parseByteSize(maxMemoryPerChild, 'maxMemoryPerChild of the worker'),
  };
}

function parseModule(module: WorkerOptions['module']): string {
  if (module === null) return BUILTIN_APP;
  if (module instanceof URL && module.protocol === 'file:') return fileURLToPath(module);
  if (typeof module === 'string' && module.startsWith('file:')) return fileURLToPath(module);
  if (typeof module === 'string' && module !== '') return isAbsolute(module) ? module : resolve(module);
  throw createError('INVALID_OPTION', {
    what: 'module of the worker',
    expected: 'the file that exports the app, such as its import.meta.url, with the pool "prefork"',
    given: formatGiven(module),
  });
}

function parseCount(count: number): number {
  if (Number.isSafeInteger(count) && count >= 1) return count;
  const what = 'maxTasksPerChild of the worker';
  throw createError('INVALID_OPTION', { what, expected: 'a whole number from 1', given: formatGiven(count) });
}
