import { assertQueueName } from '../broker/queue-name.ts';
import { assertControlHandlers, type ControlHandler } from '../control/worker-control.ts';
import { type AlertRule, parseAlerts } from '../core/alert-rule.ts';
import { parseDuration } from '../core/duration.ts';
import { createError, messageOf } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { parseNamePattern } from '../core/name-pattern.ts';
import { nearestNames } from '../core/nearest.ts';
import { NO_RETRY, parseRetry, type RetryPolicy } from '../core/retry-policy.ts';
import { assertTimeZone } from '../core/schedule/time-zone.ts';
import { HOOK_NAMES, type Hooks } from '../events/hooks.ts';
import type { TaskDefinition } from '../task/definition.ts';
import type { OnDeadLetter } from '../worker/dead-letters/dead-letter.ts';
import type { DeadLetterLimits } from '../worker/dead-letters/dead-letter-retention.ts';
import type { AppOptions } from './contract.ts';
import { parseDeadLetters } from './dead-letters-option.ts';
import { type AppResults, parseResultsOption } from './results-option.ts';

/** The options of an app, checked, with the defaults filled in. */
export interface AppSettings {
  readonly name: string | undefined;
  readonly broker: string | undefined;
  readonly results: AppResults;
  readonly queues: readonly { readonly name: string; readonly priorities: boolean }[];
  /** Whether the queues were declared: then no other may be used. */
  readonly queuesAreClosed: boolean;
  readonly defaultQueue: string;
  readonly routes: readonly { readonly matches: (task: string) => boolean; readonly queue: string }[];
  readonly retry: RetryPolicy;
  readonly keepResultSeconds: number;
  readonly payloadLimit: number;
  readonly timezone: string;
  readonly unknownTasks: RetryPolicy;
  readonly maxWorkerLost: number;
  readonly builtins: false | Readonly<Record<string, unknown>>;
  readonly hooks: Hooks;
  /** Undefined keeps all dead letters. */
  readonly deadLetters: DeadLetterLimits | undefined;
  readonly onDeadLetter: OnDeadLetter | undefined;
  /** Undefined leaves it to tq.config. */
  readonly alerts: readonly AlertRule[] | undefined;
  readonly control: Readonly<Record<string, ControlHandler>>;
}

const KEYS: readonly (keyof AppOptions)[] = [
  'name',
  'broker',
  'results',
  'queues',
  'defaultQueue',
  'routes',
  'retry',
  'resultExpires',
  'payloadLimit',
  'timezone',
  'unknownTasks',
  'maxWorkerLost',
  'builtins',
  'hooks',
  'deadLetters',
  'onDeadLetter',
  'alerts',
  'control',
];

/** @throws INVALID_CONFIG that names every mistake at once */
export function parseAppOptions(options: AppOptions): AppSettings {
  const mistakes: string[] = [];
  const attempt = <Value>(fallback: Value, parse: () => Value): Value => {
    try {
      return parse();
    } catch (error) {
      mistakes.push(messageOf(error));
      return fallback;
    }
  };
  checkKeys(options, KEYS, 'createApp()', mistakes);
  const queues = attempt([{ name: 'default', priorities: false }], () => parseQueues(options.queues));
  const names = queues.map(({ name }) => name);
  const closed = options.queues !== undefined;
  const declared = (queue: string, what: string): string => {
    if (!closed) attempt(undefined, () => assertQueueName(queue));
    else if (!names.includes(queue)) {
      mistakes.push(`${what} names the queue "${queue}", which \`queues\` does not`);
    }
    return queue;
  };
  if (options.broker !== undefined && typeof options.broker !== 'string') {
    mistakes.push(`broker must be a URL, got ${formatGiven(options.broker)}`);
  }
  checkKeys(options.hooks ?? {}, HOOK_NAMES, 'hooks', mistakes);
  for (const [name, hook] of Object.entries(options.hooks ?? {})) {
    if (hook !== undefined && typeof hook !== 'function') {
      mistakes.push(`the hook ${name} must be a function, got ${formatGiven(hook)}`);
    }
  }
  if (options.onDeadLetter !== undefined && typeof options.onDeadLetter !== 'function') {
    mistakes.push(`onDeadLetter must be a function, got ${formatGiven(options.onDeadLetter)}`);
  }
  const alerts = options.alerts === undefined ? undefined : parseAlerts(options.alerts);
  mistakes.push(...(alerts?.mistakes ?? []));
  const settings: AppSettings = {
    broker: options.broker,
    results: attempt(parseResultsOption(undefined), () => parseResultsOption(options.results)),
    queues,
    queuesAreClosed: closed,
    defaultQueue: declared(
      options.defaultQueue ?? (names.includes('default') ? 'default' : (names[0] as string)),
      'defaultQueue',
    ),
    routes: Object.entries(options.routes ?? {}).map(([pattern, queue]) => ({
      matches: parseNamePattern(pattern),
      queue: declared(queue, `the route "${pattern}"`),
    })),
    retry: attempt(NO_RETRY, () => parseAppRetry(options.retry)),
    keepResultSeconds: attempt(0, () =>
      Math.ceil(parseDuration(options.resultExpires ?? '24h', 'resultExpires') / 1000),
    ),
    payloadLimit: wholeNumber(options.payloadLimit ?? 1024 * 1024, 'payloadLimit', mistakes),
    name: attempt(undefined, () => parseName(options.name)),
    timezone: attempt('UTC', () => parseTimezone(options.timezone)),
    unknownTasks: attempt(NO_RETRY, () =>
      parseRetry({ max: 15, delay: '5s', maxDelay: '1m', jitter: false, ...options.unknownTasks }, 'unknownTasks'),
    ),
    maxWorkerLost: wholeNumber(options.maxWorkerLost ?? 3, 'maxWorkerLost', mistakes),
    builtins: options.builtins ?? {},
    hooks: options.hooks ?? {},
    deadLetters: attempt(undefined, () => parseDeadLetters(options.deadLetters)),
    onDeadLetter: options.onDeadLetter,
    alerts: alerts?.rules,
    control: attempt({}, () => parseControl(options.control)),
  };
  if (mistakes.length > 0) throw createError('INVALID_CONFIG', { source: 'createApp()', mistakes });
  return settings;
}

/** How long workers of the app keep results, in seconds: by the longest that the app or one of its tasks asks for. */
export function longestResultSeconds(app: AppSettings, tasks: ReadonlyMap<string, TaskDefinition>): number {
  let longest = app.keepResultSeconds;
  for (const { keepResultSeconds } of tasks.values()) {
    if (typeof keepResultSeconds === 'number' && keepResultSeconds > longest) longest = keepResultSeconds;
  }
  return longest;
}

function parseName(name: unknown): string | undefined {
  if (name === undefined || (typeof name === 'string' && /^[\w.-]{1,100}$/.test(name))) return name;
  const expected = 'a text of 1 to 100 letters, digits, `.`, `_` and `-`';
  throw createError('INVALID_OPTION', { what: 'name', expected, given: formatGiven(name) });
}

function parseTimezone(timezone: unknown = 'UTC'): string {
  const expected = 'an IANA name such as Europe/Berlin or UTC';
  assertTimeZone(timezone, () =>
    createError('INVALID_OPTION', { what: 'timezone', expected, given: formatGiven(timezone) }),
  );
  return timezone;
}

function parseQueues(declarations: AppOptions['queues']): AppSettings['queues'] {
  if (declarations === undefined) return [{ name: 'default', priorities: false }];
  if (!Array.isArray(declarations) || declarations.length === 0) {
    throw createError('INVALID_OPTION', {
      what: 'queues',
      expected: 'a list of at least one queue',
      given: formatGiven(declarations),
    });
  }
  const queues = declarations.map(parseQueue);
  const double = queues.find(({ name }, index) => queues.findIndex((other) => other.name === name) !== index);
  if (double !== undefined) {
    throw createError('INVALID_OPTION', {
      what: 'queues',
      expected: 'a list without doubles',
      given: `"${double.name}" twice`,
    });
  }
  return queues;
}

function parseQueue(declaration: unknown): { name: string; priorities: boolean } {
  if (typeof declaration !== 'object' || declaration === null) {
    assertQueueName(declaration);
    return { name: declaration, priorities: false };
  }
  const { name, priorities = false, ...more } = declaration as Record<string, unknown>;
  assertQueueName(name);
  const [unknown] = Object.keys(more);
  if (unknown !== undefined) {
    const known = ['name', 'priorities'];
    const what = `queue "${name}"`;
    throw createError('UNKNOWN_OPTION', { what, option: unknown, near: nearestNames(unknown, known), known });
  }
  if (typeof priorities === 'boolean') return { name, priorities };
  const what = `priorities of queue "${name}"`;
  throw createError('INVALID_OPTION', { what, expected: 'true or false', given: formatGiven(priorities) });
}

function parseAppRetry(retry: AppOptions['retry']): RetryPolicy {
  if (retry === undefined || retry === false) return NO_RETRY;
  return parseRetry(retry === true ? {} : retry, 'retry');
}

function parseControl(control: AppOptions['control'] = {}): AppSettings['control'] {
  if (typeof control !== 'object' || control === null) {
    throw createError('INVALID_OPTION', { what: 'control', expected: 'an object', given: formatGiven(control) });
  }
  assertControlHandlers(control);
  return control;
}

function wholeNumber(value: number, name: string, mistakes: string[]): number {
  if (!Number.isInteger(value) || value < 0)
    mistakes.push(`${name} must be a whole number from 0, got ${formatGiven(value)}`);
  return value;
}

function checkKeys(given: object, known: readonly string[], what: string, mistakes: string[]): void {
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const [near] = nearestNames(key, known);
    mistakes.push(`${what} has no option "${key}"${near === undefined ? '' : `, did you mean "${near}"?`}`);
  }
}
