import { createHash } from 'node:crypto';
import type { JobRecord } from '../../engine/core/job-record.ts';
import type { KeptAfter, KeptTimes } from '../undo-keeper.ts';

/**
 * An undo bundle is a file of NDJSON, compressed with gzip: one gzip member for each time that something was written, so that a
 * file that ends in the middle can be read up to there. Its lines, one key each:
 *
 * 1. `bundle`: what it is of, once, first;
 * 2. `page`: jobs that an operation was about to change in one way, followed by so many `record` lines;
 * 3. `left`: ids of a queue, of jobs of the two pages before, that the operation then left alone;
 * 4. `end`: how many records there are, once, last. A bundle without it was cut, or is being written.
 */
export type BundleLine =
  | { readonly bundle: BundleHeader }
  | { readonly page: BundlePage }
  | BundleRecord
  | { readonly left: readonly string[]; readonly queue: string }
  | { readonly end: { readonly records: number } };

/** Raised when a line means something else than it did; what is only added needs no new one. */
export const BUNDLE_VERSION = 1;

export interface BundleHeader {
  readonly v: number;
  /** Of the run that wrote it. */
  readonly id: string;
  readonly operation: string;
  /** Epoch ms. */
  readonly at: number;
  /** Masked. */
  readonly broker: string;
  /** The id that the broker keeps of itself; null when it has no place for one. */
  readonly brokerId: string | null;
  readonly commandLine: string;
  readonly user: string;
  readonly host: string;
  readonly pid: number;
}

export interface BundlePage {
  /** `there`: they are recorded as they were. `absent`: they are recorded as they were added, and nothing was there before. */
  readonly was: 'there' | 'absent';
  /** Where they are afterwards; null when they are removed. */
  readonly after: Pick<KeptAfter, 'queue' | 'place'> | null;
  readonly records: number;
}

export interface BundleRecord {
  readonly record: JobRecord;
  /** A digest of the data that the operation gives to the job; not there when it leaves the data alone. */
  readonly data?: string;
  /** When it has run, as the operation leaves it; not there when it changes nothing about that. */
  readonly ran?: KeptTimes;
}

/** Tells data apart without keeping it twice. The order of keys says nothing: PostgreSQL stores objects in one of its own. */
export function digestData(data: string): string {
  return createHash('sha256').update(normalise(data)).digest('base64url').slice(0, 22);
}

function normalise(data: string): string {
  try {
    return JSON.stringify(sortKeys(JSON.parse(data)));
  } catch {
    return data;
  }
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, held]) => [key, sortKeys(held)]);
}
