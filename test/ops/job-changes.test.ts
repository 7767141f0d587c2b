import { expect, test } from 'vitest';
import type { JobRecord } from '../../src/engine/core/job-record.ts';
import { refuseElsewhere, refuseStep } from '../../src/ops/job-changes.ts';
import { createStoredJob, FakeBroker } from '../cli/fake-broker.ts';

const job = createStoredJob({ id: 'j' });

async function recordWith(given: Partial<JobRecord>): Promise<JobRecord> {
  const [record] = await new FakeBroker().store('mail', job).queue('mail').bulk.readRecords(['j']);
  return { ...(record as JobRecord), ...given };
}

test('a part of a flow is left alone, and the command that cancels the whole is named', async () => {
  const child = await recordWith({ parent: { queue: 'mail', id: 'p', onDead: 'wait' } });
  expect(refuseStep(job, child)).toContain('tq control revoke p');
  const parent = await recordWith({ children: [{ queue: 'mail', id: 'c', end: 'pending', value: null }] });
  expect(refuseStep(job, parent)).toContain('tq control revoke j');
  expect(refuseStep(job, await recordWith({}))).toBeUndefined();
});

test.each(['waiting', 'active', 'scheduled', 'blocked', 'dead', 'completed'] as const)(
  'a job elsewhere is told by where it is: %s',
  async (place) => {
    const record = await recordWith({ place });
    expect(refuseElsewhere([place])(job, record)).toBeUndefined();
    expect(refuseElsewhere([])(job, record)).toMatch(/^it is /);
  },
);
