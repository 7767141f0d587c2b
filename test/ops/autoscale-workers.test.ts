import { autoscaleWorkers } from '../../src/ops/autoscale-workers.ts';
import { describeWorkerCommand } from './worker-command-rules.ts';

describeWorkerCommand({
  operation: autoscaleWorkers,
  command: 'autoscale',
  input: { max: 8, min: 2 },
  reply: { concurrency: 2, max: 8, min: 2 },
  aim: 'to have 2 to 8 slots',
});
