import { strictObject } from 'valibot';
import { type DeathGroup, DeathGroups } from '../engine/deadletter/death-groups.ts';
import { type DeadLetterChoice, deadLetterEntries, deadLetterFlags, listDeadQueues } from './dead-letters.ts';
import { defineOperation } from './operation.ts';

export interface DeadLetterCounts {
  /** The most frequent first. */
  readonly groups: readonly DeathGroup[];
  /** Dead letters that were counted. */
  readonly total: number;
  /** Why it ended before all were counted; null when all were. */
  readonly stopped: string | null;
}

export const countDeadLetters = defineOperation({
  name: 'count-dead-letters',
  effect: 'read',
  summary: 'Count dead letters by the kind of their error, task and queue',
  input: strictObject(deadLetterEntries),
  async run(session, choice, { progress, signal }): Promise<DeadLetterCounts> {
    const groups = new DeathGroups();
    for (const { pages } of await listDeadQueues(session, choice as DeadLetterChoice, 'first')) {
      for await (const jobs of pages) {
        for (const job of jobs) groups.add(job);
        progress(groups.total);
        if (signal.aborted) break;
      }
      if (signal.aborted) break;
    }
    const stopped = signal.aborted ? 'it was asked to stop' : null;
    return { groups: groups.list(), total: groups.total, stopped };
  },
  commandLine: (choice) => ['dlq', 'stats', ...deadLetterFlags(choice as DeadLetterChoice)],
});
