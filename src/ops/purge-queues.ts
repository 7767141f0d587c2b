import { array, literal, nonEmpty, pipe, strictObject, string, union } from 'valibot';
import { resolveQueues } from '../engine/control/known-queues.ts';
import { createError } from '../engine/core/errors.ts';
import { rememberHeld } from './held-jobs.ts';
import { DEAD_LETTER } from './list-queues.ts';
import { defineOperation } from './operation.ts';
import type { Session } from './session.ts';

export interface Purged {
  /** Jobs removed, by queue. */
  readonly purged: Readonly<Record<string, number>>;
  readonly total: number;
  /** The id to undo it with; null because a purge keeps no copy of what it removed. */
  readonly undo: string | null;
}

type Target = { readonly queues: readonly string[] } | { readonly all: true };

export const purgeQueues = defineOperation({
  name: 'purge-queues',
  effect: 'destructive',
  summary: 'Remove the waiting and scheduled jobs of queues',
  input: union([strictObject({ queues: pipe(array(string()), nonEmpty()) }), strictObject({ all: literal(true) })]),
  async plan(session, input) {
    const broker = await session.broker();
    const names = await listTargets(session, input);
    const rows = await Promise.all(
      names.map(async (name) => {
        const { waiting, scheduled } = await broker.queue(name).counts();
        return { queue: name, waiting, scheduled };
      }),
    );
    const count = rows.reduce((sum, row) => sum + row.waiting + row.scheduled, 0);
    const jobs = count === 1 ? '1 job' : `${count} jobs`;
    return {
      summary: `would remove ${jobs} from ${names.length === 1 ? '1 queue' : `${names.length} queues`}`,
      count,
      rows,
    };
  },
  async run(session, input, { progress }): Promise<Purged> {
    const broker = await session.broker();
    const purged: [string, number][] = [];
    let total = 0;
    // One queue after the other: an interrupted purge has then emptied whole queues, and the progress is one number.
    for (const name of await listTargets(session, input)) {
      const before = total;
      const forgetHeld = await rememberHeld(broker, name);
      const removed = await broker.queue(name).purge((done) => progress(before + done));
      await forgetHeld();
      purged.push([name, removed]);
      total += removed;
    }
    // fromEntries defines own properties, so a queue called `__proto__` stays an entry.
    return { purged: Object.fromEntries(purged), total, undo: null };
  },
  commandLine: (input) => ['purge', ...('all' in input ? ['--all'] : ['-Q', input.queues.join(',')]), '--yes'],
});

async function listTargets(session: Session, input: Target): Promise<string[]> {
  const broker = await session.broker();
  if ('all' in input) return await broker.listQueues();
  if (input.queues.includes(DEAD_LETTER) && !(await broker.listQueues()).includes(DEAD_LETTER)) {
    throw createError('USAGE', {
      message: `purge removes waiting and scheduled jobs; the dead letters ("${DEAD_LETTER}") are not touched by it in this version`,
      next: 'name queues that `tq inspect queues` lists; `tq jobs show ID` shows one dead letter',
    });
  }
  return await resolveQueues(broker, input.queues);
}
