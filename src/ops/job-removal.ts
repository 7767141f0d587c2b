import { strictObject } from 'valibot';
import type { ScanPlace } from '../engine/broker/bulk-port.ts';
import { changeJobs, type JobChanges, planChanges, refuseElsewhere, refuseStep } from './job-changes.ts';
import { assertChoice, choiceEntries, choiceFlags, chooseJobs } from './job-choice.ts';
import { defineOperation, type Operation } from './operation.ts';

const input = strictObject(choiceEntries);

/**
 * An operation that removes jobs of some places.
 *
 * @param given.command the words of its command after `tq`
 */
export function defineRemoval(given: {
  readonly name: string;
  readonly command: readonly string[];
  readonly summary: string;
  readonly places: readonly ScanPlace[];
}): Operation<typeof input, JobChanges> {
  const { name, command, summary, places } = given;
  const refuse = refuseElsewhere(places);
  return defineOperation({
    name,
    effect: 'destructive',
    summary,
    input,
    async plan(session, choice) {
      assertChoice(command.join(' '), choice);
      return await planChanges(chooseJobs(session, choice, { places }), { verb: 'remove …', places });
    },
    async run(session, choice, run): Promise<JobChanges> {
      assertChoice(command.join(' '), choice);
      return await changeJobs(
        await session.broker(),
        (onMissing) => chooseJobs(session, choice, { places, signal: run.signal }, onMissing),
        {
          refuse: (job, record) => refuse(job, record) ?? refuseStep(job, record),
          after: () => null,
          act: (queue, records) =>
            queue.bulk.remove(
              records.map(({ id }) => id),
              places,
            ),
        },
        run,
      );
    },
    commandLine: (choice) => [...command, ...choiceFlags(choice), '--yes'],
  });
}
