import type { ControlAnswers } from '../../../engine/broker/control-port.ts';
import { defineCommand } from '../../command.ts';
import { sharedOptions } from '../../options.ts';
import { type Row, table } from '../../presentation.ts';
import { presentReplies, REPLY_FIELDS, readAddressed } from '../../worker-replies.ts';

export const inspectConf = defineCommand({
  name: 'inspect conf',
  summary: 'Show the settings that the live workers run with',
  options: [sharedOptions.destination],
  examples: [{ command: 'tq inspect conf -d tq@web-1', does: 'those of one worker' }],
  json: [...REPLY_FIELDS],
  operation: async () => (await import('../../../ops/inspect-workers.ts')).inspectWorkers,
  toInput: (values) => ({ command: 'conf' as const, ...readAddressed(values) }),
  present: (replies) =>
    presentReplies(replies, {
      blocks: [
        table(
          [
            { key: 'worker', title: 'WORKER', as: 'text' },
            { key: 'setting', title: 'SETTING', as: 'text' },
            { key: 'value', title: 'VALUE', as: 'json', shrinks: true },
          ],
          listSettings(replies),
          'no worker answered',
        ),
      ],
    }),
});

function listSettings({ answers }: ControlAnswers): Row[] {
  return [...answers].flatMap(([worker, answer]) =>
    answer.ok ? Object.entries(answer.value ?? {}).map(([setting, value]) => ({ worker, setting, value })) : [],
  );
}
