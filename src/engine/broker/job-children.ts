import type { IQueueBackend } from 'bullmq';
import type { ChildEnd, JobChildren } from '../core/job.ts';
import { decodeEnd } from './stored-job.ts';

/**
 * What the children of a job have come to, in two round trips however many they are. How many are out is read first: one that ends
 * meanwhile is counted as out too, so that nobody takes a job for complete and misses the value of a child.
 */
export async function readJobChildren(backend: IQueueBackend, id: string): Promise<JobChildren> {
  const [out = 0] = await backend.getDependencyCounts(id, ['unprocessed']);
  const { processed = {}, unprocessed = [], ignored = {} } = await backend.getDependencies(id, {});
  const toId = (key: string): string => backend.parseNodeKey(key).id;
  const ended = new Map<string, ChildEnd>();
  const dead = new Map<string, string>();
  const pending = new Set(unprocessed);
  for (const [key, value] of Object.entries(processed)) if (!pending.has(key)) ended.set(toId(key), decodeEnd(value));
  for (const [key, message] of Object.entries(ignored)) if (!pending.has(key)) dead.set(toId(key), String(message));
  return { pending: Math.max(out, unprocessed.length), ended, dead };
}
