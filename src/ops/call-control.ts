import { exactOptional, nonEmpty, pipe, strictObject, string, unknown } from 'valibot';
import { defineOperation } from './operation.ts';
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
  async plan(session, { command, destinations }) {
    const broker = await session.broker();
    const nodes = (await broker.control.listNodes()).filter(({ name }) => destinations?.includes(name) ?? true);
    return {
      summary: `would ask ${nodes.length === 1 ? '1 worker' : `${nodes.length} workers`} for "${command}"`,
      // What the command does is known to the application alone.
      count: 0,
      rows: nodes.map(({ name, host, pid }) => ({ worker: name, host, pid })),
    };
  },
  run: (session, { command, args, ...addressed }) => askWorkers(session, command, addressed, args),
  commandLine: ({ command, args, ...addressed }) => [
    ...['control', 'call', command],
    ...(args === null ? [] : ['--args', JSON.stringify(args)]),
    ...formatAddressed(addressed),
  ],
});
