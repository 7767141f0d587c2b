import { cancelConsumers } from '../../src/ops/cancel-consumers.ts';
import { describeWorkerCommand } from './worker-command-rules.ts';

describeWorkerCommand({
  operation: cancelConsumers,
  command: 'cancel-consumer',
  input: { queue: 'low' },
  reply: { queues: ['high'], changed: true },
  aim: 'to serve the queue low no more',
});
