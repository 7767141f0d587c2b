import { defineCommand, type Values } from '../../command.ts';
import { readText } from '../../option-values.ts';
import { sharedOptions } from '../../options.ts';
import { sheet } from '../../presentation.ts';

export const jobsShow = defineCommand({
  name: 'jobs show',
  summary: 'Show everything about one job',
  arguments: [{ name: '<id>', summary: 'id of the job', completion: 'ids' }],
  options: [sharedOptions.queue],
  examples: [
    { command: 'tq jobs show 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4', does: 'its arguments, attempts, log and stacks' },
    { command: 'tq jobs show 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4 --json', does: 'the same as JSON' },
    { command: 'tq jobs show 17 --queue mail', does: 'a job that BullMQ numbered: each queue has its own 17' },
  ],
  json: [
    ...[
      'id',
      'task',
      'queue',
      'state',
      'args',
      'priority',
      'createdAt',
      'dueAt',
      'startedAt',
      'finishedAt',
      'attempts',
    ],
    ...[
      'workersLost',
      'worker',
      'progress',
      'result',
      'error',
      'reason',
      'stacks',
      'unique',
      'unreadable',
      'requestId',
      'rootId',
    ],
    ...['parentId', 'workflow', 'expiresAt', 'softTimeLimitMs', 'timeLimitMs', 'retry', 'headers', 'log'],
  ],
  operation: async () => (await import('../../../ops/show-job.ts')).showJob,
  toInput: ({ arguments: [id = ''], options }: Values<{ queue?: string }>) => ({
    id,
    queue: readText(options.queue, '--queue'),
  }),
  present: (job) => ({
    json: job,
    blocks: [
      sheet([
        { title: 'id', as: 'text', value: job.id },
        { title: 'task', as: 'text', value: job.task },
        { title: 'queue', as: 'text', value: job.queue },
        { title: 'state', as: 'state', value: job.state },
        { title: 'reason', as: 'text', value: job.reason },
        { title: 'args', as: 'json', value: job.args },
        { title: 'unreadable', as: 'text', value: job.unreadable },
        { title: 'result', as: 'json', value: job.result },
        { title: 'error', as: 'text', value: job.error === null ? null : `${job.error.name}: ${job.error.message}` },
        { title: 'progress', as: 'progress', value: job.progress },
        { title: 'attempts', as: 'number', value: job.attempts },
        { title: 'workers lost', as: 'number', value: job.workersLost },
        { title: 'worker', as: 'text', value: job.worker },
        { title: 'priority', as: 'number', value: job.priority },
        { title: 'created', as: 'instant', value: job.createdAt },
        { title: 'due', as: 'instant', value: job.dueAt },
        { title: 'expires', as: 'instant', value: job.expiresAt },
        { title: 'started', as: 'instant', value: job.startedAt },
        { title: 'finished', as: 'instant', value: job.finishedAt },
        { title: 'soft time limit', as: 'duration', value: job.softTimeLimitMs },
        { title: 'time limit', as: 'duration', value: job.timeLimitMs },
        { title: 'retry', as: 'json', value: job.retry },
        { title: 'unique', as: 'text', value: job.unique },
        { title: 'request id', as: 'text', value: job.requestId },
        { title: 'root id', as: 'text', value: job.rootId },
        { title: 'parent id', as: 'text', value: job.parentId },
        { title: 'workflow', as: 'text', value: job.workflow },
        { title: 'headers', as: 'json', value: isEmpty(job.headers) ? null : job.headers },
        { title: 'log', as: 'lines', value: isEmpty(job.log) ? null : job.log },
        { title: 'stacks', as: 'lines', value: isEmpty(job.stacks) ? null : job.stacks },
      ]),
    ],
    notes: job.workflow === null ? [] : [`\`tq trace ${job.id}\` shows its place in its workflow`],
  }),
});

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}
