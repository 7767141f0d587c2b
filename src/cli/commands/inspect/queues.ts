import { defineCommand } from '../../command.ts';
import { describePausedTasks } from '../../paused-tasks.ts';
import { table } from '../../presentation.ts';

export const inspectQueues = defineCommand({
  name: 'inspect queues',
  summary: 'List every queue of the broker, and the dead letters of all of them last',
  details:
    'The last row, dead_letter, stands for the dead letters of all queues: they wait there for a person. `dead` of a queue\ncounts the same jobs where they are stored.\n`held` are jobs that a pause or a limit of their task holds back; `scheduled` are the others that wait for their time.',
  examples: [
    { command: 'tq inspect queues', does: 'look at the queues' },
    {
      command: 'tq inspect queues --broker redis://localhost:6379/1 --json',
      does: 'those of any BullMQ application, as JSON',
    },
  ],
  json: [
    'queue',
    'waiting',
    'active',
    'scheduled',
    'held',
    'blocked',
    'dead',
    'completed',
    'paused',
    'consumers',
    'oldestWaitingMs',
  ],
  operation: async () => (await import('../../../ops/list-queues.ts')).listQueues,
  toInput: () => ({}),
  present: ({ queues, pausedTasks }) => ({
    json: queues,
    blocks: [
      table(
        [
          { key: 'queue', title: 'QUEUE', as: 'text', shrinks: true },
          { key: 'waiting', title: 'WAITING', as: 'number' },
          { key: 'active', title: 'ACTIVE', as: 'number' },
          { key: 'scheduled', title: 'SCHEDULED', as: 'number' },
          { key: 'held', title: 'HELD', as: 'number' },
          { key: 'blocked', title: 'BLOCKED', as: 'number' },
          { key: 'dead', title: 'DEAD', as: 'number', alarms: true },
          { key: 'completed', title: 'COMPLETED', as: 'number' },
          { key: 'paused', title: 'PAUSED', as: 'flag', alarms: true },
          { key: 'consumers', title: 'CONSUMERS', as: 'number' },
          { key: 'oldestWaitingMs', title: 'OLDEST', as: 'duration' },
        ],
        queues,
        'there are no queues on this broker',
      ),
    ],
    notes: describePausedTasks(pausedTasks),
  }),
});
