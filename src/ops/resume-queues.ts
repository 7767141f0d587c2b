import { defineOperation } from './operation.ts';
import { planPause, type QueuePause, queuesInput, readPauses } from './pause-queues.ts';

export const resumeQueues = defineOperation({
  name: 'resume-queues',
  effect: 'write',
  summary: 'Resume queues that are paused',
  input: queuesInput,
  plan: async (session, { queues }) => planPause(await readPauses(session, queues), 'resume'),
  async run(session, { queues }): Promise<{ queues: readonly QueuePause[] }> {
    const before = await readPauses(session, queues);
    const broker = await session.broker();
    for (const { queue } of before) await broker.queue(queue).resume();
    return { queues: before.map(({ queue, paused }) => ({ queue, paused: false, changed: paused })) };
  },
  commandLine: ({ queues }) => ['queue', 'resume', ...queues],
});
