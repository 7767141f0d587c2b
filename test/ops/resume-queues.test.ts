import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { resumeQueues } from '../../src/ops/resume-queues.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

test('resumes the queues that were named, and says which were paused before', async () => {
  const broker = new FakeBroker().store('high', {}).store('low');
  broker.queue('low').paused = true;
  const session = createFakeSession(broker);
  expect(await execute(resumeQueues, { queues: ['low', 'high'] }, { session, dryRun: true })).toMatchObject({
    plan: { summary: 'would resume 1 queue', count: 0 },
  });
  expect(await execute(resumeQueues, { queues: ['low', 'high'] }, { session })).toMatchObject({
    result: {
      queues: [
        { queue: 'low', paused: false, changed: true },
        { queue: 'high', paused: false, changed: false },
      ],
    },
  });
  expect(broker.queue('low').paused).toBe(false);
});
