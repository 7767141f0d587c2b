import { defineCommand, type Values } from '../../command.ts';
import { describeUnconfirmed } from '../../paused-tasks.ts';
import { table } from '../../presentation.ts';

export const taskResume = defineCommand({
  name: 'task resume',
  summary: 'Resume paused tasks: their held jobs are the next of their queues',
  details:
    'The held jobs go back to the heads of their queues, in their old order. Exit code 4 when a live worker did not confirm.',
  arguments: [{ name: '<tasks...>', summary: 'tasks to resume', completion: 'tasks' }],
  examples: [
    { command: 'tq task resume email.send --dry-run', does: 'only count the jobs that are held' },
    { command: 'tq task resume email.send', does: 'start its jobs again' },
  ],
  json: ['tasks', 'unconfirmed'],
  operation: async () => (await import('../../../ops/resume-tasks.ts')).resumeTasks,
  toInput: ({ arguments: tasks, timeoutMs }: Values) => ({
    tasks: tasks.filter((name) => name !== undefined),
    timeoutMs,
  }),
  present: ({ tasks, unconfirmed }) => ({
    json: { tasks, unconfirmed },
    blocks: [
      table(
        [
          { key: 'task', title: 'TASK', as: 'text' },
          { key: 'since', title: 'WAS PAUSED', as: 'instant' },
          { key: 'letGo', title: 'LET GO', as: 'number' },
        ],
        tasks,
        'no task was resumed',
      ),
    ],
    notes: [
      ...tasks.filter(({ since }) => since === null).map(({ task }) => `task "${task}" was not paused`),
      ...describeUnconfirmed(unconfirmed),
    ],
    exitCode: unconfirmed.length > 0 ? 4 : 0,
  }),
});
