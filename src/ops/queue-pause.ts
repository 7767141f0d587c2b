import { array, nonEmpty, pipe, strictObject, string } from 'valibot';
import { type QueuePause, readQueuePauses, setQueuePauses } from '../engine/control/pausing-queues.ts';
import { defineOperation } from './operation.ts';

/** Declares the operation that pauses queues, or the one that resumes them. */
export function defineQueuePause({ verb, summary }: { readonly verb: 'pause' | 'resume'; readonly summary: string }) {
  const paused = verb === 'pause';
  return defineOperation({
    name: `${verb}-queues`,
    effect: 'write',
    summary,
    input: strictObject({ queues: pipe(array(string()), nonEmpty()) }),
    async plan(session, { queues }) {
      const rows = await readQueuePauses(await session.broker(), queues, session.clock.now());
      const count = rows.filter((row) => row.paused !== paused).length;
      // Pausing moves no job, so nobody is asked.
      return { summary: `would ${verb} ${count === 1 ? '1 queue' : `${count} queues`}`, count: 0, rows };
    },
    async run(session, { queues }): Promise<{ queues: readonly QueuePause[] }> {
      const broker = await session.broker();
      return { queues: await setQueuePauses(broker, queues, { paused, now: session.clock.now() }) };
    },
    commandLine: ({ queues }) => ['queue', verb, ...queues],
  });
}
