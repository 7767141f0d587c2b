import { addConsumers } from '../../src/ops/add-consumers.ts';
import { describeWorkerCommand } from './worker-command-rules.ts';

describeWorkerCommand({
  operation: addConsumers,
  command: 'add-consumer',
  input: { queue: 'low' },
  reply: { queues: ['high', 'low'], changed: true },
  aim: 'to serve the queue low',
});
