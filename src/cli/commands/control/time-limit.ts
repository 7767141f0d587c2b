import { createError } from '../../../engine/core/errors.ts';
import type { Values } from '../../command.ts';
import { defineControl } from '../../control-command.ts';
import { readDuration, readText } from '../../option-values.ts';

export const controlTimeLimit = defineControl({
  name: 'control time-limit',
  summary: 'Change the time limits of a task in live workers',
  details: [
    'Of attempts that begin from then on, until the workers restart. 0 or none removes a limit; that of the worker holds then.',
    'Limits of a call go first, as they always do.',
  ].join('\n'),
  arguments: [
    { name: '<task>', summary: 'the task', completion: 'tasks' },
    { name: '<soft>', summary: 'soft limit, such as 50s; 0 or none removes it' },
    { name: '<hard>', summary: 'hard limit, such as 1m; 0 or none removes it' },
  ],
  examples: [
    { command: 'tq control time-limit report.build 50s 1m --dry-run', does: 'only list whom it would ask' },
    { command: 'tq control time-limit report.build none 5m', does: 'only a hard limit' },
  ],
  operation: async () => (await import('../../../ops/limit-task-times.ts')).limitTaskTimes,
  read: readLimits,
  columns: [
    { key: 'task', title: 'TASK', as: 'text', shrinks: true },
    { key: 'softTimeLimitMs', title: 'SOFT', as: 'duration' },
    { key: 'timeLimitMs', title: 'HARD', as: 'duration' },
  ],
});

function readLimits([task, soft, hard]: Values['arguments']) {
  const softTimeLimitMs = readLimit(soft, 'SOFT');
  const timeLimitMs = readLimit(hard, 'HARD');
  if (softTimeLimitMs !== null && timeLimitMs !== null && softTimeLimitMs >= timeLimitMs) {
    throw createError('INVALID_OPTION', {
      what: 'SOFT',
      expected: `shorter than HARD, ${timeLimitMs} ms`,
      given: `${softTimeLimitMs} ms`,
    });
  }
  return { task: readText(task, 'the task'), softTimeLimitMs, timeLimitMs };
}

function readLimit(text: string | undefined, what: string): number | null {
  if (text === undefined || text === '0' || text.toLowerCase() === 'none') return null;
  return readDuration(text, what) || null;
}
