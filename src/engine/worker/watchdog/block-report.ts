import type { BeatTask } from './beat-board.ts';
import type { CurrentTask } from './current-task.ts';

/** Who blocks the event loop, as far as it could be seen. */
export type BlockFacts =
  | { readonly kind: 'seen'; readonly task: CurrentTask | undefined; readonly frames: readonly string[] }
  | { readonly kind: 'unseen'; readonly why: string; readonly running: readonly BeatTask[] };

export const BLOCKED_MESSAGE =
  'event loop blocked: no other job of this worker moves on; run tasks that compute or wait synchronously with --pool prefork';
export const FREE_MESSAGE = 'event loop free again';

/** The fields of the two log lines of a block. A task that ran alone is the one, also where nobody could look. */
export function describeBlock(facts: BlockFacts, blockedMs: number): Record<string, unknown> {
  const blocked = { blocked_ms: Math.round(blockedMs) };
  if (facts.kind === 'seen') return { ...facts.task, ...blocked, frames: facts.frames };
  const [only, ...others] = facts.running;
  if (only !== undefined && others.length === 0) {
    return { task_id: only.id, task_name: only.task, ...blocked, frames_unknown: facts.why };
  }
  const running = facts.running.map(({ id, task }) => `${task} ${id}`);
  return { ...blocked, running, frames_unknown: facts.why };
}
