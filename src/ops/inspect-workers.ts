import { picklist, strictObject } from 'valibot';
import { defineOperation } from './operation.ts';
import { addressedInput, askWorkers, formatAddressed } from './worker-replies.ts';

export const inspectWorkers = defineOperation({
  name: 'inspect-workers',
  effect: 'read',
  summary: 'Ask the live workers what they are and what they have',
  input: strictObject({ command: picklist(['ping', 'reserved', 'registered', 'stats', 'conf']), ...addressedInput }),
  run: (session, { command, ...addressed }) => askWorkers(session, command, addressed),
  commandLine: ({ command, ...addressed }) => ['inspect', command, ...formatAddressed(addressed)],
});
