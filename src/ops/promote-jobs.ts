import { strictObject } from 'valibot';
import { changeJobs, type JobChanges, planChanges, refuseElsewhere } from './job-changes.ts';
import { assertChoice, choiceEntries, choiceFlags, chooseJobs } from './job-choice.ts';
import { defineOperation } from './operation.ts';

const PLACES = ['scheduled'] as const;

export const promoteJobs = defineOperation({
  name: 'promote-jobs',
  effect: 'destructive',
  summary: 'Let scheduled jobs start now',
  input: strictObject(choiceEntries),
  async plan(session, choice) {
    assertChoice('jobs promote', choice);
    return await planChanges(chooseJobs(session, choice, { places: PLACES }), {
      verb: 'let … start now',
      places: PLACES,
    });
  },
  async run(session, choice, run): Promise<JobChanges> {
    assertChoice('jobs promote', choice);
    return await changeJobs(
      await session.broker(),
      (onMissing) => chooseJobs(session, choice, { places: PLACES, signal: run.signal }, onMissing),
      {
        refuse: refuseElsewhere(PLACES),
        after: ({ queue }) => ({ queue, place: 'waiting' }),
        act: (queue, records) => queue.bulk.promote(records.map(({ id }) => id)),
      },
      run,
    );
  },
  commandLine: (choice) => ['jobs', 'promote', ...choiceFlags(choice), '--yes'],
});
