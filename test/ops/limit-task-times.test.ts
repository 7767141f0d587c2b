import { limitTaskTimes } from '../../src/ops/limit-task-times.ts';
import { describeWorkerCommand } from './worker-command-rules.ts';

describeWorkerCommand({
  operation: limitTaskTimes,
  command: 'time-limit',
  input: { task: 'email.send', softTimeLimitMs: null, timeLimitMs: 1500 },
  reply: { task: 'email.send', softTimeLimitMs: null, timeLimitMs: 1500 },
  aim: 'to change the time limits of the task email.send',
});
