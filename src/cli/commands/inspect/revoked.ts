import { defineCommand } from '../../command.ts';
import { sharedOptions } from '../../options.ts';
import { table } from '../../presentation.ts';
import { listRows, presentReplies, REPLY_FIELDS, readAddressed } from '../../worker-replies.ts';

export const inspectRevoked = defineCommand({
  name: 'inspect revoked',
  summary: 'List the revoked jobs that workers ended, and those that still lie in the broker',
  details: [
    'Each worker tells of the last thousand revoked jobs that it refused, aborted or killed since it started. A job without a',
    'worker lies in the broker: it will not run, and is filed away as REVOKED when a worker takes it up.',
  ].join('\n'),
  options: [sharedOptions.destination],
  examples: [
    { command: 'tq inspect revoked', does: 'ask all live workers' },
    { command: 'tq inspect revoked -d tq@web-1 --json', does: 'what one ended, as JSON' },
  ],
  json: [...REPLY_FIELDS, 'waiting'],
  operation: async () => (await import('../../../ops/list-revoked.ts')).listRevoked,
  toInput: readAddressed,
  present(revoked) {
    const { waiting, answers } = revoked;
    const rows = [...listRows(revoked), ...waiting.map(({ phase, ...job }) => ({ ...job, happened: phase }))];
    const presentation = presentReplies(revoked, { blocks: [], json: { waiting } });
    // What lies in the broker is shown also when no worker is left to say anything.
    const isKnown = answers.size > 0 || rows.length > 0;
    const columns = [
      { key: 'worker', title: 'WORKER', as: 'text' },
      { key: 'id', title: 'ID', as: 'text' },
      { key: 'task', title: 'TASK', as: 'text', shrinks: true },
      { key: 'queue', title: 'QUEUE', as: 'text', shrinks: true },
      { key: 'happened', title: 'HAPPENED', as: 'text' },
      { key: 'at', title: 'AT', as: 'instant' },
      { key: 'by', title: 'BY', as: 'text', shrinks: true },
    ] as const;
    return { ...presentation, blocks: isKnown ? [table(columns, rows, 'no job was revoked')] : [] };
  },
});
