import type { Broker, JobBrief } from '../broker/port.ts';
import { inBatches } from '../core/batches.ts';
import { createError } from '../core/errors.ts';

/** Where jobs are looked for. */
export interface Place {
  /** The only queue to look in; all of them without it. */
  readonly queue?: string | undefined;
  /** Queues to look in first, since listing every queue of a large store costs more than a few looks. */
  readonly likelyQueues?: readonly string[] | undefined;
}

/** Jobs of one round trip. */
const BATCH = 500;

/**
 * Finds the jobs with these ids, without a change to any; those that no queue holds are left out.
 *
 * @throws AMBIGUOUS_JOB when several queues hold a job of the same number: taking any of them would be wrong
 */
export async function locateJobs(
  broker: Pick<Broker, 'queue' | 'listQueues'>,
  ids: readonly string[],
  { queue, likelyQueues = [] }: Place = {},
): Promise<Map<string, JobBrief>> {
  const found = new Map<string, JobBrief>();
  if (queue !== undefined) {
    for (const brief of await look(broker, queue, ids)) found.set(brief.id, brief);
    return found;
  }
  const [numbers, names] = [ids.filter(isNumber), ids.filter((id) => !isNumber(id))];
  const missing = (): string[] => names.filter((id) => !found.has(id));
  for (const name of likelyQueues) for (const brief of await look(broker, name, missing())) found.set(brief.id, brief);
  if (numbers.length === 0 && missing().length === 0) return found;
  for (const name of await broker.listQueues()) {
    const rest = likelyQueues.includes(name) ? [] : missing();
    for (const brief of await look(broker, name, [...rest, ...numbers])) {
      const other = found.get(brief.id);
      if (other !== undefined) throw createError('AMBIGUOUS_JOB', { id: brief.id, queues: [other.queue, brief.queue] });
      found.set(brief.id, brief);
    }
  }
  return found;
}

function look(broker: Pick<Broker, 'queue'>, queue: string, ids: readonly string[]): Promise<JobBrief[]> {
  return inBatches(ids, BATCH, (batch) => broker.queue(queue).listBriefs(batch));
}

/** BullMQ numbers the jobs of each queue by itself. */
function isNumber(id: string): boolean {
  return /^\d+$/.test(id);
}
