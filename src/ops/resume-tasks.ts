import { readTaskPauses, resumeTasks as resume, type TaskResumes } from '../engine/worker/admission/pausing-tasks.ts';
import { countPaused } from './held-jobs.ts';
import { defineOperation } from './operation.ts';
import { tasksInput } from './pause-tasks.ts';
import { formatAddressed } from './worker-replies.ts';

export const resumeTasks = defineOperation({
  name: 'resume-tasks',
  effect: 'write',
  summary: 'Resume paused tasks: the jobs that were held back are the next of their queues',
  input: tasksInput,
  async plan(session, { tasks }) {
    const broker = await session.broker();
    const queues = await broker.listQueues();
    const rows = await Promise.all(
      (await readTaskPauses(broker, tasks)).map(async (row) => ({
        ...row,
        held: await countPaused(broker, row.task, queues),
      })),
    );
    const held = rows.reduce((sum, row) => sum + row.held, 0);
    const count = rows.filter(({ since }) => since !== null).length;
    const [resumed, jobs] = [count === 1 ? '1 task' : `${count} tasks`, held === 1 ? '1 job' : `${held} jobs`];
    // The jobs only get their turn: nobody is asked.
    return { summary: `would resume ${resumed} and let go ${jobs}`, count: 0, rows };
  },
  run: async (session, input, { progress }): Promise<TaskResumes> => resume(await session.broker(), input, progress),
  commandLine: ({ tasks, ...addressed }) => ['task', 'resume', ...tasks, ...formatAddressed(addressed)],
});
