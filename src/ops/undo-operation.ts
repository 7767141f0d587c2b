import { boolean, exactOptional, nonEmpty, pipe, strictObject, string } from 'valibot';
import { FailureList, type JobFailure } from '../engine/core/failure-list.ts';
import { AuditLog } from './audit-log.ts';
import { defineOperation, type Plan } from './operation.ts';
import type { Session } from './session.ts';
import type { BundleHeader } from './undo/bundle-format.ts';
import { judgePage, putBackPage } from './undo/put-back.ts';
import { openUndoSource } from './undo/undo-source.ts';

export interface Undone {
  /** The run that was undone. */
  readonly undone: string;
  /** Jobs that it had removed or changed, as they were kept. */
  readonly matched: number;
  readonly restored: number;
  /** At most a hundred are named. */
  readonly failed: readonly JobFailure[];
  readonly failedCount: number;
  /** What could not be restored, by why. */
  readonly reasons: Readonly<Record<string, number>>;
  /** The bundle has no end: its writer died. What came after is not known, and was not changed. */
  readonly isCut: boolean;
  /** The id to take this back with; null when nothing was kept. */
  readonly undo: string | null;
}

const NAME = 'undo-operation';

export const undoOperation = defineOperation({
  name: NAME,
  effect: 'write',
  summary: 'Put back what an operation removed or changed',
  input: strictObject({ id: pipe(string(), nonEmpty()), force: exactOptional(boolean()) }),
  async plan(session, { id, force = false }): Promise<Plan> {
    const { reader, header } = await openUndoSource(session, id, force);
    const broker = await session.broker();
    const counts = new Map<string, { jobs: number; left: number }>();
    for await (const page of reader.pages()) {
      for (const { record } of page.kept) countIn(counts, record.queue).left += 1;
      const failed = new FailureList();
      for (const [queue, able] of await judgePage(page, { broker, force, failed })) {
        const count = countIn(counts, queue);
        count.jobs += able;
        count.left -= able;
      }
    }
    const rows = [...counts].map(([queue, { jobs, left }]) => ({ queue, jobs, left }));
    const count = rows.reduce((sum, { jobs }) => sum + jobs, 0);
    const left = rows.reduce((sum, row) => sum + row.left, 0);
    return {
      summary: `would put back ${count === 1 ? '1 job' : `${count} jobs`} of ${header.operation} ${id}${left === 0 ? '' : `; ${left} could not be restored`}`,
      count,
      rows,
    };
  },
  async run(session, { id, force = false }, run): Promise<Undone> {
    const { reader, header } = await openUndoSource(session, id, force);
    const broker = await session.broker();
    const failed = new ReasonList();
    let matched = 0;
    let restored = 0;
    for await (const page of reader.pages()) {
      if (run.signal.aborted) break;
      matched += page.kept.length;
      restored += await putBackPage(page, { broker, force, failed, keeper: run.keeper });
      run.progress(restored);
    }
    if (!run.signal.aborted && restored > 0) await markUndone(session, header, run.id);
    return {
      ...{ undone: id, matched, restored, failed: failed.named, failedCount: failed.count },
      ...{ reasons: failed.reasons, isCut: reader.isCut, undo: run.keeper?.undo ?? null },
    };
  },
  commandLine: ({ id, force }) => ['undo', id, ...(force === true ? ['--force'] : []), '--yes'],
});

function countIn(counts: Map<string, { jobs: number; left: number }>, queue: string): { jobs: number; left: number } {
  const count = counts.get(queue) ?? { jobs: 0, left: 0 };
  counts.set(queue, count);
  return count;
}

/** The named ones, and how many there are of each reason. */
class ReasonList extends FailureList {
  readonly #reasons = new Map<string, number>();

  override add(id: string, message: string): void {
    super.add(id, message);
    this.#reasons.set(message, (this.#reasons.get(message) ?? 0) + 1);
  }

  get reasons(): Record<string, number> {
    return Object.fromEntries(this.#reasons);
  }
}

/** What is undone is undone once; who undoes the undoing may undo it again. */
async function markUndone(session: Session, { id, operation, commandLine }: BundleHeader, by: string): Promise<void> {
  const log = new AuditLog((await session.broker()).state);
  await log.markUndone(id, by);
  const [, before] = operation === NAME ? (/^tq undo (\S+)/.exec(commandLine) ?? []) : [];
  if (before !== undefined) await log.markUndone(before, null);
}
