import { defineControl } from '../../control-command.ts';
import { readText } from '../../option-values.ts';

export const controlCancelConsumer = defineControl({
  name: 'control cancel-consumer',
  summary: 'Have live workers serve a queue no more',
  details: 'Until they restart. Jobs of it that run end as they would; a worker without queues waits to be given one.',
  arguments: [{ name: '<queue>', summary: 'the queue', completion: 'queues' }],
  examples: [
    { command: 'tq control cancel-consumer reports --dry-run', does: 'only list whom it would ask' },
    { command: 'tq control cancel-consumer reports -d tq@web-1', does: 'relieve one worker of a queue' },
  ],
  operation: async () => (await import('../../../ops/cancel-consumers.ts')).cancelConsumers,
  read: ([queue]) => ({ queue: readText(queue, 'the queue') }),
  columns: [
    { key: 'queues', title: 'QUEUES', as: 'text', shrinks: true },
    { key: 'changed', title: 'CHANGED', as: 'flag' },
  ],
});
