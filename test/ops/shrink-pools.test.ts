import { shrinkPools } from '../../src/ops/shrink-pools.ts';
import { describeWorkerCommand } from './worker-command-rules.ts';

describeWorkerCommand({
  operation: shrinkPools,
  command: 'pool-shrink',
  input: { by: 1 },
  reply: { concurrency: 1 },
  aim: 'to shrink by 1 slot',
});
