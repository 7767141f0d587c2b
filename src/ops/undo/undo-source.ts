import { createError } from '../../engine/core/errors.ts';
import { nearestNames } from '../../engine/core/nearest.ts';
import { AuditLog, type AuditRecord } from '../audit-log.ts';
import type { Session } from '../session.ts';
import { readBrokerId } from './broker-id.ts';
import { findBundle, listBundles } from './bundle-folder.ts';
import type { BundleHeader } from './bundle-format.ts';
import { BundleReader } from './bundle-reader.ts';

/** What a run kept, found and fit to be put back. */
export interface UndoSource {
  readonly reader: BundleReader;
  readonly header: BundleHeader;
  readonly path: string;
}

/**
 * Finds what the run of this id kept.
 *
 * @throws UNKNOWN_UNDO, UNDO_ELSEWHERE, UNDO_UNREADABLE, and without `force` UNDO_DONE and UNDO_OTHER_BROKER
 */
export async function openUndoSource(session: Session, id: string, force: boolean): Promise<UndoSource> {
  const broker = await session.broker();
  const record = await new AuditLog(broker.state).read(id);
  const { undoDir } = session;
  const file = undoDir === undefined ? undefined : await findBundle(undoDir, id);
  if (file === undefined) throw await describeMissing(session, id, record);
  const reader = new BundleReader(file.path);
  const header = await reader.readHeader();
  if (!force) {
    if (!(await isSameBroker(session, header))) {
      throw createError('UNDO_OTHER_BROKER', { id, was: header.broker, is: broker.url });
    }
    if (record !== undefined && record.undoneBy !== null) throw createError('UNDO_DONE', { id, by: record.undoneBy });
  }
  return { reader, header, path: file.path };
}

async function describeMissing(session: Session, id: string, record: AuditRecord | undefined): Promise<Error> {
  const bundle = record?.bundle ?? null;
  if (bundle !== null) return createError('UNDO_ELSEWHERE', { id, host: bundle.host, path: bundle.file });
  const { undoDir } = session;
  const ids = undoDir === undefined ? [] : (await listBundles(undoDir)).map((each) => each.id);
  return createError('UNKNOWN_UNDO', { id, near: nearestNames(id, ids) });
}

/** By the id that the broker keeps of itself, whatever it is called here; by its URL where it keeps none. */
export async function isSameBroker(session: Session, { broker: url, brokerId }: BundleHeader): Promise<boolean> {
  const broker = await session.broker();
  if (brokerId === null) return url === broker.url;
  const id = await readBrokerId(broker.state);
  return id === null ? url === broker.url : id === brokerId;
}
