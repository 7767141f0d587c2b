import { nameSome } from '../counted.ts';
import type { ChildFacts, WhyFacts } from './job-facts.ts';
import { type Reason, reason } from './reason.ts';

/** What a job waits for that waits for its children. */
export function explainChildren({ job, standing, children }: WhyFacts): Reason[] {
  const { pending } = standing;
  if (pending === 0) {
    const message = 'none of its children is out any more; the worker that ended the last one is about to let it go';
    return [reason('CHILDREN_PENDING', message, { next: `ask again; \`tq trace ${job.id}\` shows its children` })];
  }
  const dead = children.filter(({ state }) => state === 'FAILURE');
  const missing = children.filter(({ state }) => state === 'UNKNOWN');
  const others = children.filter((child) => !dead.includes(child) && !missing.includes(child));
  return [
    ...(dead.length === 0 ? [] : [explainDead(dead, job.meta.workflow?.id)]),
    ...(missing.length === 0 ? [] : [explainMissing(missing)]),
    ...(others.length === 0 && children.length > 0 ? [] : [explainPending(pending, others)]),
  ];
}

function explainDead(dead: readonly ChildFacts[], workflow: string | undefined): Reason {
  const [first] = dead;
  const ids = nameSome(dead.map(({ id }) => id));
  const who =
    dead.length === 1
      ? `a child that it waits for is a dead letter: ${ids}`
      : `${dead.length} children that it waits for are dead letters: ${ids}`;
  const error = first?.error == null ? '' : `; ${first.id} failed with ${first.error}`;
  const next =
    workflow === undefined
      ? `when the cause is gone, \`tq jobs retry ${first?.id}\`; it waits until that has succeeded`
      : `when the cause is gone, \`tq jobs retry ${workflow}\` sends the dead letters of the workflow back to work`;
  return reason('CHILD_DEAD', who + error, { next });
}

function explainMissing(missing: readonly ChildFacts[]): Reason {
  return reason(
    'CHILD_MISSING',
    `it waits for children that are not stored any more, so they will not end: ${nameSome(missing.map(({ queue, id }) => `${id} in queue "${queue}"`))}`,
    { next: 'call its task again; `tq control revoke` ends this job' },
  );
}

function explainPending(pending: number, others: readonly ChildFacts[]): Reason {
  const named = nameSome(others.map(({ id, task, state }) => `${id} (${task}, ${state})`));
  const [first] = others;
  return reason(
    'CHILDREN_PENDING',
    `it waits for ${pending === 1 ? '1 child' : `${pending} children`}${named === '' ? '' : `: ${named}`}`,
    {
      next: first === undefined ? null : `\`tq why ${first.id}\` says what that one waits for`,
    },
  );
}
