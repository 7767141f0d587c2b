import type { ControlledWorker, RunningJobInfo } from '../control/controlled-worker.ts';
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

/** What a worker says of itself. */
interface ViewedWorker
  extends Pick<ControlledWorker, 'name' | 'queues' | 'pool' | 'concurrency' | 'lockDurationMs' | 'counters'> {
  /** Process ids. */
  readonly children: readonly number[];
  /** The process of a job is null while it waits for a place in the pool. */
  listHeld(): readonly (Omit<RunningJobInfo, 'pid'> & { readonly pid: number | null })[];
  readonly revoke: ControlledWorker['revoke'];
  readonly listRevoked: ControlledWorker['listRevoked'];
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
    get pids() {
      return worker.pool === 'prefork' ? worker.children : [process.pid];
    },
    listRunning: () => worker.listHeld().flatMap(({ pid, ...job }) => (pid === null ? [] : [{ ...job, pid }])),
    listReserved: () => worker.listHeld().filter(({ pid }) => pid === null),
    revoke: (order) => worker.revoke(order),
    listRevoked: () => worker.listRevoked(),
    stop: () => void worker.stop(),
  };
}
