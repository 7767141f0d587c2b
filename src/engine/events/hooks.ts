import type { StoredError } from '../core/job.ts';

/** What a hook of a worker is told. */
export interface WorkerEvent {
  readonly worker: string;
  readonly queues: readonly string[];
}

/** What a hook of a task is told. */
export interface TaskEvent {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  /** From 1. */
  readonly attempt: number;
  readonly requestId: string;
  readonly worker: string;
  readonly headers: Readonly<Record<string, string>>;
}

type Hook<Event> = (event: Event) => void | Promise<void>;

/**
 * Functions of the application that a worker calls. They run one after the other and are awaited.
 *
 * `workerStart` and `processStart` may throw to keep the worker from starting: a database that cannot be opened. An error
 * in any other hook is logged and changes nothing for the job.
 *
 * With the pool `prefork` tasks run in child processes. Hooks of the worker run once, in the parent; hooks of the process
 * and of tasks run where tasks run. Only when there is no such process any more (it crashed, a hard limit killed it) or the
 * job was refused before it came to one, the hooks about its end run in the parent.
 */
export interface Hooks {
  /** Before the first job, once a worker. */
  workerStart?: Hook<WorkerEvent>;
  /** After the last job. Also called when `workerStart` or a later step of the start failed. */
  workerStop?: Hook<WorkerEvent>;
  /** In every process that runs tasks, before its first job: open what tasks need. After `workerStart`. */
  processStart?: Hook<WorkerEvent>;
  /** In the same process, after its last job: close it again. A process that is killed does not come to it. */
  processStop?: Hook<WorkerEvent>;
  /** Before the task function is called. */
  taskStart?: Hook<TaskEvent>;
  taskSuccess?: Hook<TaskEvent & { readonly durationMs: number; readonly result: unknown }>;
  /** An attempt failed, whatever comes of it. `error` is what was thrown. */
  taskFailure?: Hook<TaskEvent & { readonly durationMs: number; readonly error: unknown }>;
  /** An attempt failed or asked for it, and another one follows after `delayMs`. */
  taskRetry?: Hook<TaskEvent & { readonly delayMs: number; readonly error: unknown }>;
  /** The job is a dead letter now. */
  taskDead?: Hook<TaskEvent & { readonly error: StoredError }>;
}

export const HOOK_NAMES = [
  'workerStart',
  'workerStop',
  'processStart',
  'processStop',
  'taskStart',
  'taskSuccess',
  'taskFailure',
  'taskRetry',
  'taskDead',
] as const satisfies readonly (keyof Hooks)[];
