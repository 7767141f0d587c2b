import { currentContext } from '../../task/context.ts';

/** What is known of the task whose code is on the stack; on the log lines of a block. */
export interface CurrentTask {
  readonly task_id: string;
  readonly task_name: string;
  readonly queue: string;
  readonly attempt: number;
  readonly request_id: string;
  /** Of a firing: the name of its entry. */
  readonly schedule?: string;
}

const KEY = 'taskq.current-task';

/** Gives the current task as JSON in any frame of the main thread, once `publishCurrentTask` was called there. */
export const CURRENT_TASK_EXPRESSION = `globalThis[Symbol.for(${JSON.stringify(KEY)})]?.()`;

/** Makes the task context reachable by name, for whoever looks into this thread from outside: it has no way to import it. */
export function publishCurrentTask(): void {
  Object.defineProperty(globalThis, Symbol.for(KEY), { value: describeCurrentTask, configurable: true });
}

function describeCurrentTask(): string | undefined {
  const context = currentContext();
  if (context === undefined) return undefined;
  const { id, task, queue, attempt, requestId, schedule } = context;
  return JSON.stringify({
    task_id: id,
    task_name: task,
    queue,
    attempt,
    request_id: requestId,
    ...(schedule !== null && { schedule: schedule.entry }),
  } satisfies CurrentTask);
}

/** @param text what the expression gave */
export function parseCurrentTask(text: string | undefined): CurrentTask | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as CurrentTask);
}
