import {
  array,
  exactOptional,
  integer,
  maxValue,
  minValue,
  number,
  pipe,
  record,
  strictObject,
  string,
  unknown,
} from 'valibot';
import type { JobChange, ScanPlace } from '../engine/broker/bulk-port.ts';
import { createError } from '../engine/core/errors.ts';
import type { JobRecord } from '../engine/core/job-record.ts';
import { type DataPatch, patchData } from '../engine/deadletter/data-patch.ts';
import { changeJobs, type JobChanges, planChanges, refuseElsewhere } from './job-changes.ts';
import { assertChoice, choiceEntries, choiceFlags, chooseJobs, type JobChoice } from './job-choice.ts';
import { defineOperation, type Operation, type Plan, type PlanRow } from './operation.ts';
import { type FindTask, findTasks } from './patched-tasks.ts';
import type { Session } from './session.ts';

/** Differences that a plan shows; the jobs are all counted. */
const MAX_SHOWN = 20;

const input = strictObject({
  ...choiceEntries,
  /** A JSON Merge Patch for the first argument. */
  patch: exactOptional(record(string(), unknown())),
  /** In place of all arguments. */
  args: exactOptional(array(unknown())),
  priority: exactOptional(pipe(number(), integer(), minValue(0), maxValue(9))),
  /** Epoch ms; of scheduled jobs. */
  dueAt: exactOptional(pipe(number(), integer(), minValue(0))),
});

interface Edit {
  readonly patch: DataPatch | undefined;
  readonly priority: number | undefined;
  readonly dueAt: number | undefined;
}

/**
 * An operation that changes jobs of some places.
 *
 * @param given.command the words of its command after `tq`
 */
export function defineJobEdit(given: {
  readonly name: string;
  readonly command: readonly string[];
  readonly summary: string;
  readonly places: readonly ScanPlace[];
}): Operation<typeof input, JobChanges> {
  const { name, command, summary, places } = given;
  return defineOperation({
    name,
    effect: 'destructive',
    summary,
    input,
    async plan(session, { patch, args, priority, dueAt, ...choice }): Promise<Plan> {
      const edit = readEdit(command.join(' '), { patch, args, priority, dueAt }, choice);
      const plan = await planChanges(chooseJobs(session, choice, { places }), { verb: 'change …', places });
      const rows = edit.patch === undefined ? [] : await listDifferences(session, choice, edit.patch, places);
      return rows.length === 0 ? plan : { ...plan, rows };
    },
    async run(session, { patch, args, priority, dueAt, ...choice }, run): Promise<JobChanges> {
      const edit = readEdit(command.join(' '), { patch, args, priority, dueAt }, choice);
      const findTask = await findTasks(session, edit.patch !== undefined);
      const elsewhere = refuseElsewhere(places);
      const changes = new Map<string, JobChange>();
      return await changeJobs(
        await session.broker(),
        (onMissing) => chooseJobs(session, choice, { places, signal: run.signal }, onMissing),
        {
          async refuse(job, stored) {
            const reason = elsewhere(job, stored) ?? refuseTime(edit, stored);
            if (reason !== undefined) return reason;
            const change = await toChange(edit, stored, findTask).catch((error: Error) => error.message);
            if (typeof change === 'string') return change;
            changes.set(stored.id, change);
            return undefined;
          },
          after: ({ queue, place }) => ({ queue, place }),
          dataOf: (id) => changes.get(id)?.data?.next,
          async act(queue, records) {
            const changed = await queue.bulk.rewrite(records.flatMap(({ id }) => changes.get(id) ?? []));
            changes.clear();
            return changed;
          },
        },
        run,
      );
    },
    commandLine: ({ patch, args, priority, dueAt, ...choice }) => [
      ...[...command, ...choiceFlags(choice)],
      ...(patch === undefined ? [] : ['--patch', JSON.stringify(patch)]),
      ...(args === undefined ? [] : ['--args', JSON.stringify(args)]),
      ...(priority === undefined ? [] : ['--priority', String(priority)]),
      ...(dueAt === undefined ? [] : ['--eta', new Date(dueAt).toISOString()]),
      '--yes',
    ],
  });
}

interface GivenEdit {
  readonly patch: Readonly<Record<string, unknown>> | undefined;
  readonly args: readonly unknown[] | undefined;
  readonly priority: number | undefined;
  readonly dueAt: number | undefined;
}

/** @throws USAGE when nothing is to be changed, or the arguments in two ways */
function readEdit(command: string, { patch, args, priority, dueAt }: GivenEdit, choice: JobChoice): Edit {
  assertChoice(command, choice);
  if (patch !== undefined && args !== undefined) {
    throw createError('USAGE', {
      message: `${command} was given both a patch and new arguments`,
      next: 'give --patch to change the first argument, or --args to replace all of them',
    });
  }
  if (patch === undefined && args === undefined && priority === undefined && dueAt === undefined) {
    throw createError('USAGE', {
      message: `${command} was given nothing to change`,
      next: 'say what is to be: --patch, --args, --priority, or for scheduled jobs --eta',
    });
  }
  const kind: DataPatch | undefined =
    patch !== undefined ? { kind: 'merge', patch } : args !== undefined ? { kind: 'replace', args } : undefined;
  return { patch: kind, priority, dueAt };
}

function refuseTime({ dueAt }: Edit, { place }: JobRecord): string | undefined {
  return dueAt === undefined || place === 'scheduled' ? undefined : 'it is not scheduled, so it has no time to change';
}

async function toChange({ patch, priority, dueAt }: Edit, stored: JobRecord, findTask: FindTask): Promise<JobChange> {
  const { id, data: seen, task } = stored;
  const next = patch === undefined ? undefined : await patchData(seen, patch, { id, definition: findTask(task) });
  return {
    id,
    ...(next !== undefined && { data: { seen, next: next.data } }),
    ...(priority !== undefined && { priority }),
    ...(dueAt !== undefined && { dueAt }),
  };
}

/** What a patch would change, of the first of the jobs: a row for each path, and one for a job that it cannot change. */
export async function listDifferences(
  session: Session,
  choice: JobChoice,
  patch: DataPatch,
  places: readonly ScanPlace[],
): Promise<PlanRow[]> {
  const [broker, findTask] = [await session.broker(), await findTasks(session, true)];
  const rows: PlanRow[] = [];
  for await (const { queue, jobs } of chooseJobs(session, choice, { places })) {
    const records = await broker.queue(queue).bulk.readRecords(jobs.slice(0, MAX_SHOWN).map(({ id }) => id));
    for (const { id, task, data } of records) {
      const patched = await patchData(data, patch, { id, definition: findTask(task) }).catch((error: Error) => error);
      if (patched instanceof Error) rows.push({ id, path: null, before: null, after: null, problem: patched.message });
      else
        for (const { path, before = null, after = null } of patched.differences)
          rows.push({ id, path, before, after, problem: null });
      if (rows.length >= MAX_SHOWN) return rows.slice(0, MAX_SHOWN);
    }
  }
  return rows;
}
