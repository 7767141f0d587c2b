import { boolean, exactOptional, nonEmpty, pipe, strictObject, string } from 'valibot';
import type { JobState } from '../engine/core/state.ts';
import { defineOperation } from './operation.ts';
import { type JobResult, waitFlags, waitForResult, waitMs } from './read-result.ts';
import { openSchedules } from './schedules-of.ts';

/** A firing by hand, as it was stored. */
export interface RunEntry {
  readonly id: string;
  readonly entry: string;
  readonly task: string | null;
  readonly queue: string;
  readonly state: JobState;
}

export const runEntry = defineOperation({
  name: 'run-entry',
  effect: 'write',
  summary: 'Fire a schedule entry now, by hand',
  input: strictObject({
    name: pipe(string(), nonEmpty()),
    /** Wait until the job has ended; the outcome is then that of read-result. */
    wait: exactOptional(boolean()),
    timeoutMs: exactOptional(waitMs),
  }),
  async plan(session, { name }) {
    const { task, queue } = await (await openSchedules(session)).read(name);
    // No job that exists is touched, so the count is 0 and nobody is asked.
    const summary = `would fire schedule entry "${name}" now: task "${task}" on queue "${queue}"`;
    return { summary, count: 0, rows: [{ name, task, queue }] };
  },
  async run(session, { name, wait, timeoutMs }): Promise<RunEntry | JobResult> {
    const schedules = await openSchedules(session);
    const { task } = await schedules.read(name);
    const { id, queue } = await schedules.run(name);
    if (wait === true) return await waitForResult(session, { id, queue }, timeoutMs);
    const job = await (await session.broker()).queue(queue).readJob(id);
    return { id, entry: name, task, queue, state: job?.state ?? 'PENDING' };
  },
  commandLine: ({ name, wait, timeoutMs }) => ['schedule', 'run', name, ...waitFlags(wait, timeoutMs)],
});
