import type { StateStore } from '../../broker/state-port.ts';
import { encodePart } from './held-index.ts';

/** The record of a paused task: every worker reads it, `tq task pause` writes it and `tq task resume` removes it. */
export interface PausedTask {
  readonly task: string;
  /** Epoch ms, of the clock of who paused it. */
  readonly since: number;
}

/** Begin of the keys of paused tasks. */
export const PAUSED_TASKS = 'pause/task/';

/** @returns the paused tasks, by name */
export async function listPausedTasks(state: StateStore): Promise<PausedTask[]> {
  const entries = await state.list(PAUSED_TASKS);
  return entries.map(({ value }) => JSON.parse(value) as PausedTask);
}

/** @returns the record as it is now: that of an earlier pause if there is one */
export async function writePausedTask(state: StateStore, record: PausedTask): Promise<PausedTask> {
  const key = pauseKey(record.task);
  for (;;) {
    if ((await state.write(key, JSON.stringify(record), { expected: null })) !== undefined) return record;
    const entry = await state.read(key);
    if (entry !== undefined) return JSON.parse(entry.value) as PausedTask;
  }
}

/** @returns whether it was paused */
export async function removePausedTask(state: StateStore, task: string): Promise<boolean> {
  return await state.remove(pauseKey(task));
}

function pauseKey(task: string): string {
  return `${PAUSED_TASKS}${encodePart(task)}`;
}
