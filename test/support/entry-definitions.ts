import type { EntryDefinition } from '../../src/engine/core/schedule/entry.ts';
import { type EntryFacts, type EntryOptions, parseEntry } from '../../src/engine/schedule/entry-options.ts';
import { defineTask } from '../../src/engine/task/definition.ts';

/** What entries of these tests are checked against: any task is known by its name alone, every queue may be used. */
export const facts: EntryFacts = {
  resolve: (task) => ({
    queue: 'default',
    definition: task.startsWith('known') ? defineTask(task, () => 1) : undefined,
  }),
  assertQueue: () => undefined,
  payloadLimit: 1000,
  longestResultMs: () => 86_400_000,
};

/** A checked definition; without options one that fires every hour. */
export function define(options: Partial<EntryOptions> = {}, name = 'nightly'): EntryDefinition {
  const isTimed = ['every', 'cron', 'at', 'solar'].some((key) => key in options);
  return parseEntry(name, { task: 'work', ...(isTimed ? {} : { every: '1h' }), ...options }, facts);
}
