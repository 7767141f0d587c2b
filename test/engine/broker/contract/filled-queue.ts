import type { BrokerQueue } from '../../../../src/engine/broker/port.ts';
import type { Outcome } from '../../../../src/engine/core/job.ts';
import type { JobRecord } from '../../../../src/engine/core/job-record.ts';
import { newJob, queueName, SUCCEEDED, type Workshop } from '../workshop.ts';
import { DEAD, ERROR } from './family.ts';

const HOUR_MS = 3_600_000;
const REVOCATION = { at: Date.parse('2031-05-01T12:00:00Z'), by: 'ada@box' };

/** What is the same in every store: a rank is its store's own. */
export function comparable(records: readonly JobRecord[]): JobRecord[] {
  return records.map(({ rank: _, ...record }) => record);
}

/** Jobs that have come to every end, and some that have not. */
export async function fillQueue({ broker, consume }: Workshop): Promise<{ queue: BrokerQueue; ids: string[] }> {
  const queue = broker.queue(queueName());
  const ends: Readonly<Record<string, readonly Outcome[]>> = {
    done: [{ kind: 'succeeded', result: { sum: 3, list: [1, null] } }],
    failing: [{ kind: 'retry', delayMs: 0, error: ERROR }, DEAD],
    lost: [{ kind: 'lost', delayMs: HOUR_MS, error: ERROR }],
    ignored: [{ kind: 'ended', state: 'IGNORED', reason: 'nothing to do' }],
  };
  const ended = Object.keys(ends).map((task) => newJob({ task, args: [task], meta: { requestId: 'r' } }));
  await queue.addBulk(ended);
  const turns = new Map<string, number>();
  const probe = await consume(queue.name, {
    async perform(job) {
      const turn = turns.get(job.id) ?? 0;
      turns.set(job.id, turn + 1);
      await job.updateProgress({ turn });
      await job.log(`turn ${turn}`);
      return ends[job.task]?.[turn] ?? SUCCEEDED;
    },
  });
  await probe.taken.take(5);
  await probe.settled();
  await probe.stop();
  const waiting = [newJob({ args: [1.5, 'two'] }), newJob({ task: 'unique', unique: { key: 'unique 1' } })];
  const later = newJob({ delayMs: HOUR_MS });
  const revoked = newJob();
  await queue.addBulk([...waiting, later, revoked]);
  await queue.revoke([revoked.id], REVOCATION);
  return { queue, ids: [...ended, ...waiting, later, revoked].map(({ id }) => id) };
}
