import { minLength, pipe, strictObject, string } from 'valibot';
import type { ScanPlace } from '../engine/broker/bulk-port.ts';
import { changeJobs, type JobChanges, planChanges, refuseElsewhere, refuseStep } from './job-changes.ts';
import { assertChoice, choiceEntries, choiceFlags, chooseJobs } from './job-choice.ts';
import { defineOperation } from './operation.ts';

const PLACES = ['waiting', 'scheduled', 'dead'] as const satisfies readonly ScanPlace[];

export const moveJobs = defineOperation({
  name: 'move-jobs',
  effect: 'destructive',
  summary: 'Put jobs that do not run into another queue',
  input: strictObject({ ...choiceEntries, to: pipe(string(), minLength(1, 'a queue has a name')) }),
  async plan(session, { to, ...choice }) {
    assertChoice('jobs move', choice);
    const pages = chooseJobs(session, choice, { places: PLACES });
    return await planChanges(pages, { verb: `move … to queue "${to}"`, places: PLACES });
  },
  async run(session, { to, ...choice }, run): Promise<JobChanges> {
    assertChoice('jobs move', choice);
    const refuse = refuseElsewhere(PLACES);
    return await changeJobs(
      await session.broker(),
      (onMissing) => chooseJobs(session, choice, { places: PLACES, signal: run.signal }, onMissing),
      {
        refuse: (job, record) =>
          record.queue === to ? 'it is in that queue already' : (refuse(job, record) ?? refuseStep(job, record)),
        after: ({ place }) => ({ queue: to, place }),
        act: (queue, records) =>
          queue.bulk.move(
            records.map(({ id }) => id),
            to,
            PLACES,
          ),
      },
      run,
    );
  },
  commandLine: ({ to, ...choice }) => ['jobs', 'move', ...choiceFlags(choice), '--to', to, '--yes'],
});
