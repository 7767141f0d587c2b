import { availableParallelism } from 'node:os';
import type { Broker, ConsumedQueue, QueueOrder } from '../broker/port.ts';
import { assertQueueName } from '../broker/queue-name.ts';
import type { ResultStore } from '../broker/result-store/result-port.ts';
import type { AlertRule } from '../core/alert-rule.ts';
import type { Clock } from '../core/clock.ts';
import { parseDuration } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { assertKnownOptions } from '../core/known-options.ts';
import { nearestNames } from '../core/nearest.ts';
import { createLogger } from '../runtime/logger.ts';
import { readVersion } from '../runtime/version.ts';
import { assertLimits, type TaskDefinition } from '../task/definition.ts';
import type { AutoscaleBounds } from '../worker/autoscale/decision.ts';
import type { Compile } from '../worker/running-task.ts';
import { assertBounds, assertSlots } from '../worker/slot-count.ts';
import { Worker } from '../worker/worker.ts';
import type { WorkerSettings } from '../worker/worker-settings.ts';
import { type AppSettings, longestResultSeconds } from './app-settings.ts';
import type { WorkerOptions } from './contract.ts';
import { parsePrefork } from './prefork-options.ts';
import { revokeAll } from './revoke-all.ts';
import { formatOwnName, takeIdentity } from './worker-identity.ts';

interface WorkerOf {
  readonly app: AppSettings;
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  readonly broker: Broker;
  /** What it was opened with, if that is known. */
  readonly brokerUrl: string | undefined;
  /** Where its results go beside the broker, and what it was opened with. */
  readonly resultStore?: ResultStore | undefined;
  readonly resultsUrl?: string | undefined;
  readonly clock: Clock;
  readonly compile: Compile;
  readonly alerts: readonly AlertRule[];
  readonly ownTasks: ReadonlyMap<string, TaskDefinition>;
}

const MINIMUM_LOCK_MS = 5000;
const KEYS: readonly (keyof WorkerOptions)[] = [
  'queues',
  'excludeQueues',
  'concurrency',
  'autoscale',
  'name',
  'queueOrder',
  'lockDuration',
  'shutdownTimeout',
  'softTimeLimit',
  'timeLimit',
  'burst',
  'pool',
  'module',
  'maxTasksPerChild',
  'maxMemoryPerChild',
  'remoteControl',
  'blockedAfter',
  'logger',
];

/** @throws INVALID_OPTION, UNKNOWN_OPTION, UNDECLARED_QUEUE, INVALID_DURATION, WORKER_NAME_TAKEN, BROKER_UNAVAILABLE */
export async function createAppWorker(of: WorkerOf, options: WorkerOptions): Promise<Worker> {
  const settings = parseWorker(of, options);
  if (options.remoteControl === false) return new Worker({ ...settings, worker: formatOwnName(options.name) });
  const { broker, clock, app, tasks } = of;
  const { logger } = settings;
  const control = await takeIdentity({ template: options.name, broker, clock, logger, handlers: app.control });
  try {
    const facts = { startedAt: clock.now(), version: readVersion(), tasks, settings: describeSettings(settings) };
    return new Worker({ ...settings, worker: control.name, control: { ...control, facts } });
  } catch (error) {
    await control.leave();
    throw error;
  }
}

function parseWorker(
  { app, tasks, broker, brokerUrl, resultStore, resultsUrl, clock, compile, alerts, ownTasks }: WorkerOf,
  options: WorkerOptions,
): Omit<WorkerSettings, 'worker' | 'control'> {
  assertKnownOptions(options, KEYS, 'the worker');
  const duration = (
    key: 'lockDuration' | 'shutdownTimeout' | 'softTimeLimit' | 'timeLimit' | 'blockedAfter',
  ): number | undefined =>
    options[key] === undefined ? undefined : parseDuration(options[key], `${key} of the worker`);
  const softTimeLimitMs = duration('softTimeLimit');
  const timeLimitMs = duration('timeLimit');
  assertLimits(softTimeLimitMs, timeLimitMs, 'the worker');
  const autoscale = parseAutoscale(options);
  const prefork = parsePrefork(options, { brokerUrl, resultsUrl, alerts });
  return {
    broker,
    tasks,
    ownTasks,
    clock,
    compile,
    queues: selectQueues(app, options),
    order: parseOrder(options.queueOrder),
    concurrency: autoscale?.min ?? parseConcurrency(options.concurrency),
    ...(autoscale !== undefined && { autoscale }),
    parseQueue: (text) => parseQueue(app, text),
    revoke: (request) => revokeAll({ broker, clock }, request),
    lockDurationMs: assertLockDuration(duration('lockDuration') ?? 30_000),
    shutdownTimeoutMs: duration('shutdownTimeout') ?? 25_000,
    softTimeLimitMs,
    timeLimitMs,
    keepResultSeconds: longestResultSeconds(app, tasks),
    unknownTasks: app.unknownTasks,
    maxWorkerLost: app.maxWorkerLost,
    hooks: app.hooks,
    deadLetters: { onDeadLetter: app.onDeadLetter, keep: app.deadLetters, alerts },
    burst: options.burst ?? false,
    blockedAfterMs: duration('blockedAfter') ?? 1000,
    ...(prefork !== undefined && { prefork }),
    ...(resultStore !== undefined && { results: { ...app.results, store: resultStore } }),
    logger: options.logger ?? createLogger({ level: 'info', destination: 1 }).log,
    random: Math.random,
  };
}

/** What `tq inspect conf` shows of a worker. */
function describeSettings(settings: Omit<WorkerSettings, 'worker' | 'control'>): Readonly<Record<string, unknown>> {
  const { order, shutdownTimeoutMs, softTimeLimitMs = null, timeLimitMs = null, burst, logger, prefork } = settings;
  return {
    pool: prefork === undefined ? 'async' : 'prefork',
    concurrency: settings.concurrency,
    module: prefork?.module ?? null,
    autoscale: settings.autoscale === undefined ? null : { ...settings.autoscale },
    queueOrder: order,
    shutdownTimeoutMs,
    softTimeLimitMs,
    timeLimitMs,
    maxTasksPerChild: prefork?.maxTasksPerChild ?? null,
    maxMemoryPerChild: prefork?.maxMemoryPerChild ?? null,
    burst,
    results: settings.results?.store.url ?? null,
    logLevel: logger.level,
  };
}

function assertLockDuration(ms: number): number {
  if (ms >= MINIMUM_LOCK_MS) return ms;
  const expected = `at least ${MINIMUM_LOCK_MS} ms`;
  throw createError('INVALID_OPTION', { what: 'lockDuration of the worker', expected, given: `${ms} ms` });
}

function parseOrder(order: QueueOrder = 'strict'): QueueOrder {
  if (order === 'strict' || order === 'weighted' || order === 'fair') return order;
  const expected = '"strict", "weighted" or "fair"';
  throw createError('INVALID_OPTION', { what: 'queueOrder of the worker', expected, given: formatGiven(order) });
}

function parseConcurrency(concurrency = availableParallelism()): number {
  return assertSlots(concurrency, 'concurrency of the worker');
}

function parseAutoscale({ autoscale, concurrency }: WorkerOptions): AutoscaleBounds | undefined {
  if (autoscale === undefined) return undefined;
  if (concurrency !== undefined) {
    const what = 'concurrency of the worker';
    throw createError('INVALID_OPTION', { what, expected: 'left out with autoscale', given: formatGiven(concurrency) });
  }
  if (typeof autoscale === 'object' && autoscale !== null) {
    return assertBounds({ max: autoscale.max, min: autoscale.min ?? 1 });
  }
  const what = 'autoscale of the worker';
  throw createError('INVALID_OPTION', { what, expected: 'an object { max, min }', given: formatGiven(autoscale) });
}

function selectQueues(app: AppSettings, { queues, excludeQueues = [] }: WorkerOptions): ConsumedQueue[] {
  const declared = app.queues.map(({ name }) => name);
  const chosen = (queues ?? declared).map((text) => parseQueue(app, text));
  for (const queue of excludeQueues) assertDeclared(app, queue);
  const double = chosen.find(({ name }, index) => chosen.findIndex((other) => other.name === name) !== index);
  if (double !== undefined) {
    const expected = 'a list without doubles';
    throw createError('INVALID_OPTION', { what: 'queues of the worker', expected, given: `"${double.name}" twice` });
  }
  const left = chosen.filter(({ name }) => !excludeQueues.includes(name));
  if (left.length > 0) return left;
  throw createError('INVALID_OPTION', { what: 'the queues of the worker', expected: 'at least one', given: 'none' });
}

function parseQueue(app: AppSettings, text: string): ConsumedQueue {
  const queue = parseConsumedQueue(text);
  assertDeclared(app, queue.name);
  return queue;
}

function assertDeclared(app: AppSettings, queue: string): void {
  const declared = app.queues.map(({ name }) => name);
  if (!app.queuesAreClosed || declared.includes(queue)) return;
  throw createError('UNDECLARED_QUEUE', { queue, near: nearestNames(queue, declared), declared });
}

/** `high:6` is the queue `high` with the weight 6. */
function parseConsumedQueue(text: string): ConsumedQueue {
  const [name = '', weight = '1', ...more] = text.split(':');
  if (name !== '' && more.length === 0 && /^\d{1,4}$/.test(weight) && Number(weight) > 0) {
    assertQueueName(name);
    return { name, weight: Number(weight) };
  }
  const expected = 'a name, or a name and a weight as in high:6';
  throw createError('INVALID_OPTION', { what: 'a queue of the worker', expected, given: JSON.stringify(text) });
}
