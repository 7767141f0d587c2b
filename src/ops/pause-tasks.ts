import { array, nonEmpty, pipe, strictObject, string } from 'valibot';
import { pauseTasks as pause, readTaskPauses, type TaskPauses } from '../engine/worker/admission/pausing-tasks.ts';
import { defineOperation } from './operation.ts';
import { addressedInput, formatAddressed } from './worker-replies.ts';

export const tasksInput = strictObject({
  tasks: pipe(array(string()), nonEmpty()),
  /** How long the live workers may take to confirm. */
  timeoutMs: addressedInput.timeoutMs,
});

export const pauseTasks = defineOperation({
  name: 'pause-tasks',
  effect: 'write',
  summary: 'Pause tasks in all queues: their jobs are held back, those of other tasks run on',
  input: tasksInput,
  async plan(session, { tasks }) {
    const rows = await readTaskPauses(await session.broker(), tasks);
    const count = rows.filter(({ since }) => since === null).length;
    return { summary: `would pause ${count === 1 ? '1 task' : `${count} tasks`}`, count: 0, rows };
  },
  run: async (session, input): Promise<TaskPauses> => pause(await session.broker(), input, session.clock.now()),
  commandLine: ({ tasks, ...addressed }) => ['task', 'pause', ...tasks, ...formatAddressed(addressed)],
});
