import { strictObject } from 'valibot';
import { defineOperation } from './operation.ts';
import { addressedInput, askWorkers, formatAddressed } from './worker-replies.ts';

export const shutdownWorkers = defineOperation({
  name: 'shutdown-workers',
  effect: 'write',
  summary: 'Stop the live workers as their first SIGTERM does',
  input: strictObject(addressedInput),
  async plan(session, { destinations }) {
    const broker = await session.broker();
    const nodes = (await broker.control.listNodes()).filter(({ name }) => destinations?.includes(name) ?? true);
    return {
      summary: `would stop ${nodes.length === 1 ? '1 worker' : `${nodes.length} workers`}`,
      // No stored job is changed: what does not end in time goes back to its queue as it was.
      count: 0,
      rows: nodes.map(({ name, host, pid }) => ({ worker: name, host, pid })),
    };
  },
  run: (session, addressed) => askWorkers(session, 'shutdown', addressed),
  commandLine: (addressed) => ['control', 'shutdown', ...formatAddressed(addressed)],
});
