import { parseRate } from '../../../engine/core/rate.ts';
import type { Values } from '../../command.ts';
import { defineControl } from '../../control-command.ts';
import { readText } from '../../option-values.ts';

export const controlRateLimit = defineControl({
  name: 'control rate-limit',
  summary: 'Change how often live workers start a task, until they restart',
  details: [
    'A rate is 10/s, 100/m, 1000/h or 100/10s; 0 removes the limit. It counts at once: jobs that the old one held are let go.',
    'A rate that is global stays so. A worker that has no such task refuses.',
  ].join('\n'),
  arguments: [
    { name: '<task>', summary: 'the task', completion: 'tasks' },
    { name: '<rate>', summary: 'its new rate, 0 for none' },
  ],
  examples: [
    { command: 'tq control rate-limit email.send 10/m --dry-run', does: 'only list whom it would tell' },
    { command: 'tq control rate-limit email.send 10/m -d tq@web-1', does: 'slow one worker down' },
    { command: 'tq control rate-limit email.send 0', does: 'remove the limit in all live workers' },
  ],
  operation: async () => (await import('../../../ops/rate-limit-task.ts')).rateLimitTask,
  read: readRate,
  columns: [
    { key: 'task', title: 'TASK', as: 'text' },
    { key: 'rate', title: 'RATE', as: 'text' },
  ],
});

function readRate([task, rate = '']: Values['arguments']) {
  if (rate.trim() !== '0') parseRate(rate, 'the rate');
  return { task: readText(task, 'the task'), rate };
}
