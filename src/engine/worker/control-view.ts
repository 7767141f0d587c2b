import type { ChangedLimits, ControlledWorker, RunningJobInfo, SlotBounds } from '../control/controlled-worker.ts';
import type { TaskDefinition } from '../task/definition.ts';

/** What a worker does not know of itself. */
export interface ControlFacts {
  /** Epoch ms. */
  readonly startedAt: number;
  /** Of tq. */
  readonly version: string;
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  /** What it was started with, as flat names and values without secrets. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A job that a worker has taken and not ended; its process is null while it waits for a place in the pool. */
export type HeldJob = Omit<RunningJobInfo, 'pid'> & { readonly pid: number | null };

/** The part of a worker that operators see and change. */
interface ViewedWorker
  extends Pick<
    ControlledWorker,
    | 'name'
    | 'queues'
    | 'pool'
    | 'concurrency'
    | 'lockDurationMs'
    | 'counters'
    | 'health'
    | 'revoke'
    | 'listRevoked'
    | 'reloadPauses'
    | 'setRate'
    | 'taskRates'
  > {
  /** Process ids. */
  readonly children: readonly number[];
  readonly autoscale: SlotBounds | undefined;
  readonly taskLimits: ReadonlyMap<string, ChangedLimits>;
  listHeld(): readonly HeldJob[];
  resize(concurrency: number): void;
  setAutoscale(bounds: SlotBounds): void;
  addQueue(queue: string): Promise<boolean>;
  removeQueue(name: string): Promise<boolean>;
  setTimeLimits(task: string, limits: ChangedLimits): void;
  stop(): unknown;
}

/** A worker as operators see it. Its values are read when they are asked for. */
export function toControlledWorker(worker: ViewedWorker, facts: ControlFacts): ControlledWorker {
  return {
    ...facts,
    name: worker.name,
    lockDurationMs: worker.lockDurationMs,
    pool: worker.pool,
    counters: worker.counters,
    get queues() {
      return worker.queues;
    },
    get concurrency() {
      return worker.concurrency;
    },
    get health() {
      return worker.health;
    },
    get pids() {
      return worker.pool === 'prefork' ? worker.children : [process.pid];
    },
    listRunning: () => worker.listHeld().flatMap(({ pid, ...job }) => (pid === null ? [] : [{ ...job, pid }])),
    listReserved: () => worker.listHeld().filter(({ pid }) => pid === null),
    revoke: (order) => worker.revoke(order),
    listRevoked: () => worker.listRevoked(),
    reloadPauses: () => worker.reloadPauses(),
    taskRates: worker.taskRates,
    setRate: (change) => worker.setRate(change),
    get autoscale() {
      return worker.autoscale;
    },
    taskLimits: worker.taskLimits,
    resize: (concurrency) => worker.resize(concurrency),
    setAutoscale: (bounds) => worker.setAutoscale(bounds),
    addQueue: (queue) => worker.addQueue(queue),
    removeQueue(name) {
      const isServed = worker.queues.includes(name);
      // The connection that it ends reports its own trouble.
      worker.removeQueue(name).catch(() => undefined);
      return isServed;
    },
    setTimeLimits: (task, limits) => worker.setTimeLimits(task, limits),
    stop: () => void worker.stop(),
  };
}
