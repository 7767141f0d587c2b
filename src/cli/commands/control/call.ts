import { defineCommand, type Values } from '../../command.ts';
import { readJson, readText } from '../../option-values.ts';
import { sharedOptions } from '../../options.ts';
import { table } from '../../presentation.ts';
import { type AddressedOptions, presentReplies, REPLY_FIELDS, readAddressed } from '../../worker-replies.ts';

interface Options extends AddressedOptions {
  readonly args?: string;
}

export const controlCall = defineCommand({
  name: 'control call',
  summary: 'Ask live workers for a control command of their application',
  details: [
    'The commands are those of `control` in createApp(). Each worker answers what its handler gives, or its error. Exit codes: 0',
    'all that are live did it, 1 one answered with an error, 4 some did not answer within --timeout (2s), 69 none did. A handler',
    'that is slower than that goes on.',
  ].join('\n'),
  arguments: [{ name: '<command>', summary: 'name of the command' }],
  options: [
    { flags: '--args <json>', summary: 'what its handler gets, any JSON value; - reads it from stdin', stdin: true },
    sharedOptions.destination,
  ],
  examples: [
    { command: 'tq control call cache.clear --dry-run', does: 'only list whom it would ask' },
    { command: 'tq control call cache.clear -d tq@web-1', does: 'ask one worker' },
    { command: `tq control call cache.clear --args '{"prefix":"user:"}'`, does: 'ask all live workers' },
  ],
  json: [...REPLY_FIELDS],
  operation: async () => (await import('../../../ops/call-control.ts')).callControl,
  toInput({ arguments: [given = ''], ...values }: Values<Options>) {
    const command = readText(given, 'the command') ?? '';
    const { args } = values.options;
    return {
      command,
      args: args === undefined ? undefined : readJson(args, '--args'),
      ...readAddressed({ arguments: [], ...values }),
    };
  },
  present: (replies) =>
    presentReplies(replies, {
      mustAnswer: true,
      blocks: [
        table(
          [
            { key: 'worker', title: 'WORKER', as: 'text' },
            { key: 'answer', title: 'ANSWER', as: 'json' },
          ],
          [...replies.answers].flatMap(([worker, answer]) => (answer.ok ? [{ worker, answer: answer.value }] : [])),
          'no worker has done it',
        ),
      ],
    }),
});
