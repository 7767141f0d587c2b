import { integer, minValue, nonEmpty, nullable, number, pipe, string } from 'valibot';
import { defineWorkerCommand } from './worker-command.ts';

export const limitTaskTimes = defineWorkerCommand({
  name: 'limit-task-times',
  summary: 'Change the time limits of a task in live workers',
  command: 'time-limit',
  input: {
    task: pipe(string(), nonEmpty()),
    softTimeLimitMs: nullable(pipe(number(), integer(), minValue(1))),
    timeLimitMs: nullable(pipe(number(), integer(), minValue(1))),
  },
  aim: ({ task }) => `to change the time limits of the task ${task}`,
  words: ({ task, softTimeLimitMs, timeLimitMs }) => [task, formatLimit(softTimeLimitMs), formatLimit(timeLimitMs)],
});

function formatLimit(ms: number | null): string {
  return ms === null ? 'none' : `${ms}ms`;
}
