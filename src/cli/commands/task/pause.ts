import { defineCommand, type Values } from '../../command.ts';
import { describeUnconfirmed } from '../../paused-tasks.ts';
import { table } from '../../presentation.ts';

export const taskPause = defineCommand({
  name: 'task pause',
  summary: 'Pause tasks in all queues, while other tasks run on',
  details: [
    'Running jobs end. Jobs that would start are held back and keep their place; `tq inspect queues` and `tq status` count them.',
    'It lasts until `tq task resume`, also for workers that start later. Exit code 4 when a live worker did not confirm.',
  ].join('\n'),
  arguments: [{ name: '<tasks...>', summary: 'tasks to pause', completion: 'tasks' }],
  examples: [
    { command: 'tq task pause email.send --dry-run', does: 'only look' },
    { command: 'tq task pause email.send', does: 'start no more of its jobs' },
  ],
  json: ['tasks', 'unconfirmed', 'unregistered'],
  operation: async () => (await import('../../../ops/pause-tasks.ts')).pauseTasks,
  toInput: ({ arguments: tasks, timeoutMs }: Values) => ({
    tasks: tasks.filter((name) => name !== undefined),
    timeoutMs,
  }),
  present: ({ tasks, unconfirmed, unregistered }) => ({
    json: { tasks, unconfirmed, unregistered },
    blocks: [
      table(
        [
          { key: 'task', title: 'TASK', as: 'text' },
          { key: 'since', title: 'PAUSED', as: 'instant' },
        ],
        tasks,
        'no task was paused',
      ),
    ],
    notes: [
      ...tasks.filter(({ changed }) => !changed).map(({ task }) => `task "${task}" was paused already`),
      ...unregistered.map((task) => `no live worker registers task "${task}"; \`tq inspect registered\` lists theirs`),
      ...describeUnconfirmed(unconfirmed),
    ],
    exitCode: unconfirmed.length > 0 ? 4 : 0,
  }),
});
