import { growPools } from '../../src/ops/grow-pools.ts';
import { describeWorkerCommand } from './worker-command-rules.ts';

describeWorkerCommand({
  operation: growPools,
  command: 'pool-grow',
  input: { by: 2 },
  reply: { concurrency: 4 },
  aim: 'to grow by 2 slots',
});
