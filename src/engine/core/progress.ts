import { isRecord } from './envelope.ts';

/** What a task may report of itself: any JSON value; of this shape, it is shown well everywhere. */
export interface TaskProgress {
  readonly done: number;
  readonly total?: number;
  /** What it is at, in a few words. */
  readonly note?: string;
}

const KEYS = ['done', 'total', 'note'];

/** `340/1000 (34 %) resizing`, for people. @returns undefined for a value of another shape */
export function formatProgress(value: unknown): string | undefined {
  if (!isRecord(value) || !Object.keys(value).every((key) => KEYS.includes(key))) return undefined;
  const { done, total, note } = value;
  if (!isCount(done) || (total !== undefined && !isCount(total))) return undefined;
  if (note !== undefined && typeof note !== 'string') return undefined;
  const far = total === undefined ? `${done} done` : `${done}/${total}${formatShare(done, total)}`;
  return note === undefined || note === '' ? far : `${far} ${note}`;
}

/** Rounded down: 100 % is reached at the end alone. */
export function formatShare(done: number, total: number): string {
  return total > 0 ? ` (${Math.floor((done / total) * 100)} %)` : '';
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
