import { array, nonEmpty, pipe, strictObject, string } from 'valibot';
import { resolveQueues } from './known-queues.ts';
import { defineOperation, type Plan } from './operation.ts';
import type { Session } from './session.ts';

/** What became of a queue that was to be paused or resumed. */
export interface QueuePause {
  readonly queue: string;
  readonly paused: boolean;
  /** False when it was so before. */
  readonly changed: boolean;
}

export const queuesInput = strictObject({ queues: pipe(array(string()), nonEmpty()) });

export const pauseQueues = defineOperation({
  name: 'pause-queues',
  effect: 'write',
  summary: 'Pause queues: no worker takes jobs of them',
  input: queuesInput,
  plan: async (session, { queues }) => planPause(await readPauses(session, queues), 'pause'),
  async run(session, { queues }): Promise<{ queues: readonly QueuePause[] }> {
    const before = await readPauses(session, queues);
    const broker = await session.broker();
    for (const { queue } of before) await broker.queue(queue).pause();
    return { queues: before.map(({ queue, paused }) => ({ queue, paused: true, changed: !paused })) };
  },
  commandLine: ({ queues }) => ['queue', 'pause', ...queues],
});

/** A queue as a plan shows it. */
interface PauseRow {
  readonly [key: string]: string | boolean | number;
  readonly queue: string;
  readonly paused: boolean;
  readonly waiting: number;
}

/** The queues as they are. @throws UNKNOWN_QUEUE */
export async function readPauses(session: Session, queues: readonly string[]): Promise<PauseRow[]> {
  const broker = await session.broker();
  const names = await resolveQueues(broker, queues);
  const now = session.clock.now();
  return await Promise.all(
    names.map(async (queue) => {
      const { paused, waiting } = await broker.queue(queue).status(now);
      return { queue, paused, waiting };
    }),
  );
}

/** Pausing moves no job, so nobody is asked. */
export function planPause(rows: readonly PauseRow[], verb: 'pause' | 'resume'): Plan {
  const count = rows.filter(({ paused }) => paused === (verb === 'resume')).length;
  return { summary: `would ${verb} ${count === 1 ? '1 queue' : `${count} queues`}`, count: 0, rows };
}
