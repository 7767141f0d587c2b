import {
  array,
  exactOptional,
  integer,
  maxValue,
  minValue,
  nonEmpty,
  number,
  pipe,
  strictObject,
  string,
} from 'valibot';
import { MAX_TIMER_MS } from '../engine/core/duration.ts';
import { assertTaskName } from '../engine/task/definition.ts';
import { listPausedTasks, writePausedTask } from '../engine/worker/admission/paused-tasks.ts';
import { defineOperation } from './operation.ts';
import { confirmPauses } from './pause-confirmation.ts';
import type { Session } from './session.ts';

export interface TaskPause {
  readonly task: string;
  /** Epoch ms: when it was paused, perhaps before this. */
  readonly since: number;
  /** False when it was paused before. */
  readonly changed: boolean;
}

export interface TaskPauses {
  readonly tasks: readonly TaskPause[];
  readonly unconfirmed: readonly string[];
  /** Tasks that no live worker registers: a new one may, or the name is misspelt. */
  readonly unregistered: readonly string[];
}

export const tasksInput = strictObject({
  tasks: pipe(array(string()), nonEmpty()),
  /** How long the live workers may take to confirm. */
  timeoutMs: exactOptional(pipe(number(), integer(), minValue(1), maxValue(MAX_TIMER_MS))),
});

export const pauseTasks = defineOperation({
  name: 'pause-tasks',
  effect: 'write',
  summary: 'Pause tasks in all queues: their jobs are held back, those of other tasks run on',
  input: tasksInput,
  async plan(session, { tasks }) {
    const rows = await readTaskPauses(session, tasks);
    const count = rows.filter(({ since }) => since === null).length;
    return { summary: `would pause ${count === 1 ? '1 task' : `${count} tasks`}`, count: 0, rows };
  },
  async run(session, { tasks, timeoutMs }): Promise<TaskPauses> {
    const before = await readTaskPauses(session, tasks);
    const { state } = await session.broker();
    const now = session.clock.now();
    const paused: TaskPause[] = [];
    for (const { task, since } of before) {
      const record = await writePausedTask(state, { task, since: now });
      paused.push({ ...record, changed: since === null });
    }
    const { unconfirmed, unregistered } = await confirmPauses(session, timeoutMs);
    const named = paused.map(({ task }) => task);
    return { tasks: paused, unconfirmed, unregistered: unregistered.filter((task) => named.includes(task)) };
  },
  commandLine: ({ tasks, timeoutMs }) => ['task', 'pause', ...tasks, ...timeoutFlag(timeoutMs)],
});

/** Since when each of these tasks is paused, each once; null for one that is not. @throws INVALID_OPTION */
export async function readTaskPauses(
  session: Session,
  tasks: readonly string[],
): Promise<{ task: string; since: number | null }[]> {
  for (const task of tasks) assertTaskName(task);
  const paused = await listPausedTasks((await session.broker()).state);
  return [...new Set(tasks)].map((task) => ({
    task,
    since: paused.find((record) => record.task === task)?.since ?? null,
  }));
}

export function timeoutFlag(timeoutMs: number | undefined): string[] {
  return timeoutMs === undefined ? [] : ['--timeout', `${timeoutMs}ms`];
}
