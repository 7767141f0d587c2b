import type { JobRecord } from '../../engine/core/job-record.ts';
import { type BundlePage, type BundleRecord, digestData } from './bundle-format.ts';

const PREFIX = 'could not be restored: it has changed since: ';

const NOW_AT: Readonly<Record<JobRecord['place'], string>> = {
  waiting: 'it waits now',
  active: 'it is running now',
  scheduled: 'it is scheduled now',
  blocked: 'it waits for other jobs now',
  dead: 'it is a dead letter now',
  completed: 'it has finished',
};

/**
 * Whether a job is as the operation left it.
 *
 * @param queue that it was in before
 * @returns why not
 */
export function findChange(
  { record, data, ran }: BundleRecord,
  now: JobRecord,
  { was, after, queue }: { was: BundlePage['was']; after: NonNullable<BundlePage['after']>; queue: string },
): string | undefined {
  // A scheduled job whose time has come waits; that is no change by anybody.
  const isPlace = now.place === after.place || (after.place === 'scheduled' && now.place === 'waiting');
  if (!isPlace) return PREFIX + NOW_AT[now.place];
  const startedAt = ran === undefined ? record.startedAt : ran.startedAt;
  if (now.startedAt !== null && now.startedAt !== startedAt) return `${PREFIX}it has run`;
  const finishedAt = ran?.finishedAt ?? (record.place === after.place ? record.finishedAt : undefined);
  if (finishedAt !== undefined && now.finishedAt !== finishedAt) return `${PREFIX}it has run`;
  const isEdit = was === 'there' && record.place === after.place && queue === after.queue;
  const isData = data === undefined ? isEdit || now.data === record.data : digestData(now.data) === data;
  return isData ? undefined : `${PREFIX}its arguments were edited`;
}
