import { createError, messageOf, TqError } from '../../engine/core/errors.ts';
import type { JobRecord } from '../../engine/core/job-record.ts';
import type { ClosableKeeper, KeptAfter, KeptBundle } from '../undo-keeper.ts';
import { bundlePath, makeRoom, removeExpired, type UndoPlace } from './bundle-folder.ts';
import { type BundleHeader, type BundleLine, type BundlePage, type BundleRecord, digestData } from './bundle-format.ts';
import { BundleWriter } from './bundle-writer.ts';
import { formatBytes } from './byte-text.ts';

export interface UndoKeeperOptions extends UndoPlace {
  /** The id of the run. */
  readonly id: string;
  readonly now: () => number;
  /** Asked for with the first page. */
  readonly readHeader: () => Promise<BundleHeader>;
  /** Is told when bundles of earlier runs had to go. */
  readonly warn: (text: string) => void;
}

/**
 * Keeps jobs in a bundle in a folder. Nothing is made before the first page: then the folder is tidied, and the file begun.
 */
export function createUndoKeeper(options: UndoKeeperOptions): ClosableKeeper {
  const { id, dir, now, warn } = options;
  let header: BundleHeader | undefined;
  let writer: BundleWriter | undefined;
  let records = 0;
  /** Bytes of other bundles, as they were when it was looked last. */
  let others = 0;
  let pending: BundleLine[] = [];
  /** Pages are written one after the other, whoever waits for them. */
  let tail: Promise<unknown> = Promise.resolve();

  const begin = async (): Promise<BundleWriter> => {
    others = (await removeExpired(options, now())).reduce((sum, { bytes }) => sum + bytes, 0);
    header = await options.readHeader();
    pending = [{ bundle: header }];
    return await BundleWriter.create(bundlePath(dir, id));
  };

  const reserve = async (bytes: number): Promise<void> => {
    const wanted = (writer?.bytes ?? 0) + bytes;
    if (others + wanted <= options.maxBytes) return;
    const { removed, isEnough } = await makeRoom(options, { wanted, except: id, now: now() });
    if (!isEnough) throw refuse(`the bundle would take more than ${formatBytes(options.maxBytes)}`, 'cap');
    others -= removed.reduce((sum, { bytes: gone }) => sum + gone, 0);
    if (removed.length === 0) return;
    const ids = removed.map((each) => each.id).join(', ');
    warn(
      `warning: undo bundles take more than ${formatBytes(options.maxBytes)}: the oldest went, and cannot be undone any more: ${ids}`,
    );
  };

  const refuse = (reason: string, why: 'cap' | 'disk', cause?: unknown): Error =>
    createError('UNDO_NOT_KEPT', { dir, reason, why, kept: records, id }, cause);

  const write = async (page: BundlePage, lines: readonly BundleLine[]): Promise<void> => {
    try {
      writer ??= await begin();
      await writer.append([...pending, { page }, ...lines], reserve);
    } catch (error) {
      throw error instanceof TqError ? error : refuse(describe(error), 'disk', error);
    }
    pending = [];
    records += lines.length;
  };

  const enqueue = (page: Omit<BundlePage, 'records'>, lines: readonly BundleLine[]): Promise<void> => {
    if (lines.length === 0) return Promise.resolve();
    const written = tail.then(() => write({ ...page, records: lines.length }, lines));
    tail = written.catch(() => undefined);
    return written;
  };

  return {
    keep(kept: readonly JobRecord[], after: KeptAfter | null) {
      const lines = kept.map((record) => toLine(record, after));
      const place = after === null ? null : { queue: after.queue, place: after.place };
      return enqueue({ was: 'there', after: place }, lines);
    },
    keepNew(added) {
      const [first] = added;
      const after = first === undefined ? null : { queue: first.queue, place: first.place };
      return enqueue(
        { was: 'absent', after },
        added.map((record) => ({ record })),
      );
    },
    left(jobs) {
      for (const [queue, group] of Map.groupBy(jobs, (job) => job.queue)) {
        pending.push({ left: group.map(({ id }) => id), queue });
      }
    },
    get undo() {
      return records === 0 ? null : id;
    },
    async close(): Promise<KeptBundle | null> {
      await tail;
      if (writer === undefined || header === undefined) return null;
      if (records === 0) {
        await writer.discard().catch(() => undefined);
        return null;
      }
      // Without its end it is said to be cut, and can be undone all the same.
      await writer.append([...pending, { end: { records } }], async () => undefined).catch(() => undefined);
      await writer.finish().catch(() => undefined);
      return { id, host: header.host, file: bundlePath(dir, id), records, bytes: writer.bytes };
    },
  };
}

function toLine(record: JobRecord, after: KeptAfter | null): BundleRecord {
  const data = readOwn(after?.data, record.id);
  const ran = readOwn(after?.ran, record.id);
  return { record, ...(data !== undefined && { data: digestData(data) }), ...(ran !== undefined && { ran }) };
}

function readOwn<Value>(values: Readonly<Record<string, Value>> | undefined, id: string): Value | undefined {
  return values !== undefined && Object.hasOwn(values, id) ? values[id] : undefined;
}

function describe(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'the disk is full';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'this user may not write there';
  return messageOf(error);
}
