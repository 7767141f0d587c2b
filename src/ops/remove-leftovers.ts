import type { QueueLeftovers } from '../engine/core/checkup/leftovers.ts';
import { isOvergrown } from '../engine/core/checkup/leftovers.ts';
import { listFindings } from './checkup-facts.ts';
import { defineOperation } from './operation.ts';
import { type Checkup, checkupInput } from './run-checkup.ts';
import type { Session } from './session.ts';

/** What `tq doctor --fix` may do: only what no job, worker or application can miss. */
export const removeLeftovers = defineOperation({
  name: 'remove-leftovers',
  effect: 'destructive',
  summary:
    'Remove what is left over in queues: unique keys without a job, records in no list, events beyond their bound',
  input: checkupInput,
  async plan(session) {
    const rows = (await find(session)).map(toRow).filter(({ keys, orphans, events }) => keys + orphans + events > 0);
    const sum = (key: 'keys' | 'orphans' | 'events'): number => rows.reduce((total, row) => total + row[key], 0);
    const parts = [
      `${sum('keys')} unique keys without a job`,
      `${sum('orphans')} records of jobs in no list`,
      `${sum('events')} events beyond their bound`,
    ];
    return {
      summary: rows.length === 0 ? 'would remove nothing: nothing is left over' : `would remove ${parts.join(', ')}`,
      count: sum('keys') + sum('orphans'),
      rows,
    };
  },
  async run(session, { timeoutMs }): Promise<Checkup> {
    const broker = await session.broker();
    const removed = await broker.checkup.removeLeftovers(await find(session));
    return { findings: await listFindings(session, timeoutMs), removed };
  },
  commandLine: ({ timeoutMs }) => [
    ...['doctor', '--fix'],
    ...(timeoutMs === undefined ? [] : ['--timeout', `${timeoutMs}ms`]),
    '--yes',
  ],
});

async function find(session: Session): Promise<readonly QueueLeftovers[]> {
  const broker = await session.broker();
  const { queues } = await broker.checkup.listLeftovers(await broker.listQueues());
  return queues;
}

function toRow({ queue, strayKeys, orphans, events }: QueueLeftovers) {
  const surplus = isOvergrown(events) ? events.length - events.bound : 0;
  return { queue, keys: strayKeys.length, orphans: orphans?.length ?? 0, events: surplus };
}
