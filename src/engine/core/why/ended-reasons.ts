import { countOf } from '../counted.ts';
import { formatDuration } from '../duration.ts';
import { formatInstant } from '../instant.ts';
import type { StoredJob } from '../job.ts';
import { WORKFLOW_TASK } from '../workflow/graph.ts';
import { nameError, type Reason, reason } from './reason.ts';

/** How a job has ended, as its record says it. */
export function explainEnd(job: StoredJob): Reason[] {
  switch (job.state) {
    case 'SUCCESS':
      return [
        reason('SUCCEEDED', `it succeeded${describeEnd(job)}`, { next: `\`tq result ${job.id}\` shows its result` }),
      ];
    case 'FAILURE':
      return [explainFailure(job)];
    case 'IGNORED':
      return [explainIgnored(job)];
    default:
      return [explainRevocation(job)];
  }
}

/** A firing that its entry keeps from running has not come to its task, which could say the same words by Ignore. */
function explainIgnored(job: StoredJob): Reason {
  if (job.meta.schedule === undefined || !/^(missed|skipped): /.test(job.reason ?? '')) {
    return reason('IGNORED', `its task ended it by Ignore${describeEnd(job)}${describeReason(job)}`);
  }
  const message = `its entry "${job.meta.schedule.entry}" kept it from running${describeReason(job)}`;
  return reason('IGNORED', message, { next: 'to run its task now, call it, or fire the entry by hand' });
}

function explainFailure(job: StoredJob): Reason {
  const { id, error, meta } = job;
  const what = error === null ? 'no error was stored' : nameError(error);
  if (job.task === WORKFLOW_TASK) {
    return reason('WORKFLOW_FAILED', `the workflow failed with a step of it${describeEnd(job)}: ${what}`, {
      next: `\`tq trace ${id}\` shows the step; \`tq jobs retry ${id}\` sends the dead letters of the workflow back to work`,
    });
  }
  const step = meta.workflow?.id;
  return reason('DEAD', `it is a dead letter${describeEnd(job)}: ${what}`, {
    next:
      step === undefined
        ? `\`tq jobs show ${id}\` has the stacks; when the cause is gone, \`tq jobs retry ${id}\` sends it back to work`
        : `it is a step of the workflow ${step}: \`tq jobs retry ${step}\` sends its dead letters back to work`,
  });
}

/** A job that was revoked, whether a worker has filed it away or not. */
export function explainRevocation(job: StoredJob): Reason {
  const said = job.reason ?? '';
  const next = 'to run it, call its task again';
  if (said.startsWith('expired at')) {
    const and = said.includes(',') ? ',' : '';
    return reason('EXPIRED', `it ${said}${and} before a worker could start it, and was not run`, { next });
  }
  const why = said === '' ? 'it was revoked' : `it was revoked ${said}`;
  if (job.finishedAt === null) {
    return reason('REVOKED', `${why}; it still lies in the queue until a worker files it away, and will not run`, {
      next,
    });
  }
  return reason('REVOKED', `${why}; it ended at ${formatInstant(job.finishedAt)}`, { next });
}

function describeReason({ reason: said }: StoredJob): string {
  return said === null || said === '' ? '' : `: ${said}`;
}

/** When, after how many attempts, for how long, on which worker. */
function describeEnd({ finishedAt, startedAt, attempts, worker }: StoredJob): string {
  const at = finishedAt === null ? '' : ` at ${formatInstant(finishedAt)}`;
  const tries = attempts > 0 ? `, after ${countOf(attempts, 'attempt')}` : '';
  const span =
    finishedAt === null || startedAt === null || finishedAt < startedAt
      ? ''
      : `, the last of ${formatDuration(finishedAt - startedAt)}`;
  return `${at}${tries}${tries === '' ? '' : span}${worker === null ? '' : `, on ${worker}`}`;
}
