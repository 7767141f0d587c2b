import { defineControl } from '../../control-command.ts';
import { readText } from '../../option-values.ts';

export const controlAddConsumer = defineControl({
  name: 'control add-consumer',
  summary: 'Have live workers serve a further queue',
  details: [
    'Last in their order, until they restart; high:6 has the weight 6. A worker whose app declares its queues takes only those.',
  ].join('\n'),
  arguments: [{ name: '<queue>', summary: 'the queue', completion: 'queues' }],
  examples: [
    { command: 'tq control add-consumer reports --dry-run', does: 'only list whom it would ask' },
    { command: 'tq control add-consumer reports -d tq@web-1', does: 'have one worker help out' },
  ],
  operation: async () => (await import('../../../ops/add-consumers.ts')).addConsumers,
  read: ([queue]) => ({ queue: readText(queue, 'the queue') }),
  columns: [
    { key: 'queues', title: 'QUEUES', as: 'text', shrinks: true },
    { key: 'changed', title: 'CHANGED', as: 'flag' },
  ],
});
