import { exactOptional, nonEmpty, pipe, strictObject, string, unknown } from 'valibot';
import { defineOperation } from './operation.ts';
import { planAsking } from './worker-command.ts';
import { addressedInput, askWorkers, formatAddressed } from './worker-replies.ts';

export const callControl = defineOperation({
  name: 'call-control',
  effect: 'write',
  summary: 'Ask the live workers for a control command of their application',
  input: strictObject({
    command: pipe(string(), nonEmpty()),
    /** What its handler gets: JSON. */
    args: exactOptional(unknown(), null),
    ...addressedInput,
  }),
  // What the command does is known to the application alone.
  plan: (session, { command, ...addressed }) =>
    planAsking(session, addressed, (workers) => `would ask ${workers} for "${command}"`),
  run: (session, { command, args, ...addressed }) => askWorkers(session, command, addressed, args),
  commandLine: ({ command, args, ...addressed }) => [
    ...['control', 'call', command],
    ...(args === null ? [] : ['--args', JSON.stringify(args)]),
    ...formatAddressed(addressed),
  ],
});
