import type { defineQueuePause as defineOperation } from '../ops/queue-pause.ts';
import { type Command, defineCommand, type Example, type Values } from './command.ts';
import { table } from './presentation.ts';

interface QueuePauseCommand {
  readonly verb: 'pause' | 'resume';
  readonly summary: string;
  readonly details: string;
  readonly examples: readonly Example[];
  readonly operation: () => Promise<ReturnType<typeof defineOperation>>;
  /** Said of one that was so before: `was paused already`. */
  readonly unchanged: string;
}

/** Declares the command that pauses queues, or the one that resumes them. */
export function defineQueuePause(given: QueuePauseCommand): Command {
  const { verb, unchanged, ...declaration } = given;
  return defineCommand({
    ...declaration,
    name: `queue ${verb}`,
    arguments: [{ name: '<queues...>', summary: `queues to ${verb}`, completion: 'queues' }],
    json: ['queues'],
    toInput: ({ arguments: queues }: Values) => ({ queues: queues.filter((name) => name !== undefined) }),
    present: ({ queues }) => ({
      json: { queues },
      blocks: [
        table(
          [
            { key: 'queue', title: 'QUEUE', as: 'text' },
            { key: 'paused', title: 'PAUSED', as: 'flag' },
          ],
          queues,
          `no queue was ${verb}d`,
        ),
      ],
      notes: queues.filter(({ changed }) => !changed).map(({ queue }) => `queue "${queue}" ${unchanged}`),
    }),
  });
}
