import { strictObject } from 'valibot';
import { defineOperation } from './operation.ts';
import { planAsking } from './worker-command.ts';
import { addressedInput, askWorkers, formatAddressed } from './worker-replies.ts';

export const shutdownWorkers = defineOperation({
  name: 'shutdown-workers',
  effect: 'write',
  summary: 'Stop the live workers as their first SIGTERM does',
  input: strictObject(addressedInput),
  // No stored job is changed: what does not end in time goes back to its queue as it was.
  plan: (session, addressed) => planAsking(session, addressed, (workers) => `would stop ${workers}`),
  run: (session, addressed) => askWorkers(session, 'shutdown', addressed),
  commandLine: (addressed) => ['control', 'shutdown', ...formatAddressed(addressed)],
});
