import { hostname } from 'node:os';
import type { ControlReply } from '../broker/control-port.ts';
import type { Clock } from '../core/clock.ts';
import { formatRate, type Rate } from '../core/rate.ts';
import type { RateLimit } from '../task/limits.ts';
import type { ControlledWorker } from './controlled-worker.ts';
import { parseRateOrder } from './rate-order.ts';
import {
  type ActiveJob,
  type HeldJobs,
  type PauseReceipt,
  PONG,
  type RateReceipt,
  type RegisteredTask,
  type ShutdownReceipt,
  type WorkerStats,
} from './replies.ts';
import { parseRevokeOrder } from './revoke-order.ts';
import { addConsumer, cancelConsumer, changeBounds, changeTimeLimits, growPool, shrinkPool } from './shape-commands.ts';

export interface ControlContext {
  readonly worker: ControlledWorker;
  readonly clock: Clock;
}

/** One command as a worker obeys it. What it throws is the answer too. */
export type ControlCommand = (context: ControlContext, args: unknown) => ControlReply | Promise<ControlReply>;

/** Every command that each worker has; a new one is one line here and its function below. */
export const controlCommands = {
  ping: () => ({ value: PONG }),
  active: (context) => ({ value: listActive(context) }),
  reserved: ({ worker }) => ({ value: worker.listReserved() }),
  held: (context) => ({ value: describeHeld(context) }),
  registered: ({ worker }) => ({ value: listRegistered(worker) }),
  stats: (context) => ({ value: describeStats(context) }),
  conf: ({ worker }) => ({ value: worker.settings }),
  revoke: async ({ worker }, args) => ({ value: await worker.revoke(parseRevokeOrder(args)) }),
  revoked: ({ worker }) => ({ value: worker.listRevoked() }),
  'pool-grow': ({ worker }, args) => ({ value: growPool(worker, args) }),
  'pool-shrink': ({ worker }, args) => ({ value: shrinkPool(worker, args) }),
  autoscale: ({ worker }, args) => ({ value: changeBounds(worker, args) }),
  'add-consumer': async ({ worker }, args) => ({ value: await addConsumer(worker, args) }),
  'cancel-consumer': ({ worker }, args) => ({ value: cancelConsumer(worker, args) }),
  'time-limit': ({ worker }, args) => ({ value: changeTimeLimits(worker, args) }),
  'reload-pauses': (context) => reloadPauses(context),
  'rate-limit': (context, args) => setRate(context, args),
  shutdown: ({ worker }) => ({ value: createReceipt(worker), afterwards: () => worker.stop() }),
} as const satisfies Record<string, ControlCommand>;

function listActive({ worker, clock }: ControlContext): ActiveJob[] {
  const now = clock.now();
  return worker
    .listRunning()
    .map((job) => ({ ...job, runningMs: Math.max(0, now - job.startedAt) }))
    .sort((a, b) => b.runningMs - a.runningMs);
}

function describeHeld(context: ControlContext): HeldJobs {
  const { queues, lockDurationMs } = context.worker;
  const reserved = context.worker.listReserved().map(({ id }) => id);
  return { active: listActive(context), reserved, queues, lockDurationMs };
}

function listRegistered({ tasks, taskLimits, taskRates }: ControlledWorker): RegisteredTask[] {
  return [...tasks.values()]
    .map((task) => ({ ...task, ...taskLimits.get(task.name) }))
    .map(({ name, description, queue, softTimeLimitMs, timeLimitMs, retry, retryIsDefault, ...rest }) => ({
      task: name,
      description: description ?? null,
      queue: queue ?? null,
      softTimeLimitMs: softTimeLimitMs ?? null,
      timeLimitMs: timeLimitMs ?? null,
      retries: retryIsDefault ? null : retry.max,
      rateLimit: describeRate(rest.rateLimit, taskRates.get(name)),
      concurrency: rest.concurrency?.limit ?? null,
      unique: rest.unique !== undefined,
      delivery: rest.delivery,
    }))
    .sort((a, b) => (a.task < b.task ? -1 : 1));
}

/** @param changed null for a limit that was taken away, undefined when it was left as it is */
function describeRate(declared: RateLimit | undefined, changed: Rate | null | undefined): string | null {
  const rate = changed === undefined ? declared : changed;
  if (rate == null) return null;
  return declared?.scope === 'global' ? `${formatRate(rate)} global` : formatRate(rate);
}

function describeStats({ worker, clock }: ControlContext): WorkerStats {
  const { live, ready, problems } = worker.health;
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    name: worker.name,
    host: hostname(),
    pid: process.pid,
    version: worker.version,
    node: process.version,
    pool: worker.pool,
    concurrency: worker.concurrency,
    pids: worker.pids,
    queues: worker.queues,
    startedAt: worker.startedAt,
    uptimeMs: Math.max(0, clock.now() - worker.startedAt),
    active: worker.listRunning().length,
    reserved: worker.listReserved().length,
    jobs: worker.counters,
    health: { live, ready, problems },
    memory: { rssBytes: rss, heapUsedBytes: heapUsed },
    cpu: { userMs: Math.round(user / 1000), systemMs: Math.round(system / 1000) },
  };
}

async function reloadPauses({ worker }: ControlContext): Promise<{ value: PauseReceipt }> {
  const paused = await worker.reloadPauses();
  return { value: { paused, unknown: paused.filter((task) => !worker.tasks.has(task)) } };
}

/** The rate counts when this is answered; what the old one held is let go after that, for it may take long. */
function setRate({ worker }: ControlContext, args: unknown): ControlReply {
  const change = parseRateOrder(args);
  const { task, rate } = change;
  const afterwards = worker.setRate(change);
  return { value: { task, rate: rate === null ? null : formatRate(rate) } satisfies RateReceipt, afterwards };
}

function createReceipt(worker: ControlledWorker): ShutdownReceipt {
  return { stopping: true, active: worker.listRunning().length };
}
