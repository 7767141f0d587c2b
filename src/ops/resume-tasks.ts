import { letGoAll } from '../engine/worker/admission/letting-go.ts';
import { removePausedTask } from '../engine/worker/admission/paused-tasks.ts';
import { countPaused } from './held-jobs.ts';
import { defineOperation } from './operation.ts';
import { confirmPauses } from './pause-confirmation.ts';
import { readTaskPauses, tasksInput, timeoutFlag } from './pause-tasks.ts';

export interface TaskResume {
  readonly task: string;
  /** Epoch ms; null when it was not paused: jobs that an interrupted resume left are let go all the same. */
  readonly since: number | null;
  /** Jobs that were held back and wait now at the head of their queues. */
  readonly letGo: number;
}

export interface TaskResumes {
  readonly tasks: readonly TaskResume[];
  readonly unconfirmed: readonly string[];
}

/**
 * 1. The record is removed: workers that start do not know the pause any more.
 * 2. The live workers read the records, so that none holds a job back that is let go.
 * 3. The held jobs go back to the heads of their queues, in batches.
 *
 * Interrupted, it can be done again; what is left comes back by its own wait within the hour.
 */
export const resumeTasks = defineOperation({
  name: 'resume-tasks',
  effect: 'write',
  summary: 'Resume paused tasks: the jobs that were held back are the next of their queues',
  input: tasksInput,
  async plan(session, { tasks }) {
    const broker = await session.broker();
    const queues = await broker.listQueues();
    const rows = await Promise.all(
      (await readTaskPauses(session, tasks)).map(async (row) => ({
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
  async run(session, { tasks, timeoutMs }, progress): Promise<TaskResumes> {
    const before = await readTaskPauses(session, tasks);
    const broker = await session.broker();
    for (const { task } of before) await removePausedTask(broker.state, task);
    const { unconfirmed } = await confirmPauses(session, timeoutMs);
    const queues = await broker.listQueues();
    const resumed: TaskResume[] = [];
    let total = 0;
    for (const { task, since } of before) {
      let letGo = 0;
      for (const queue of queues) {
        const onProgress = (count: number): void => progress(total + letGo + count);
        letGo += await letGoAll(broker, { queue, task, line: 'pause', onProgress });
      }
      total += letGo;
      resumed.push({ task, since, letGo });
    }
    return { tasks: resumed, unconfirmed };
  },
  commandLine: ({ tasks, timeoutMs }) => ['task', 'resume', ...tasks, ...timeoutFlag(timeoutMs)],
});
