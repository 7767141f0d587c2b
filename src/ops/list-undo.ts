import { strictObject } from 'valibot';
import { AuditLog, type AuditRecord } from './audit-log.ts';
import { defineOperation } from './operation.ts';
import type { Session } from './session.ts';
import { listBundles } from './undo/bundle-folder.ts';
import { BundleReader } from './undo/bundle-reader.ts';
import { isSameBroker } from './undo/undo-source.ts';

/** What can be undone. */
export interface UndoRow {
  readonly id: string;
  /** When the run began, epoch ms. */
  readonly at: number;
  readonly operation: string;
  readonly command: string;
  /** That were kept; null when the audit does not know. */
  readonly jobs: number | null;
  readonly user: string;
  /** The machine that its bundle lies on. */
  readonly host: string;
  readonly file: string;
  /** It can be undone here. */
  readonly here: boolean;
  readonly bytes: number;
  readonly undoneBy: string | null;
}

export const listUndo = defineOperation({
  name: 'list-undo',
  effect: 'read',
  summary: 'List what can be undone, the last first',
  input: strictObject({}),
  async run(session): Promise<readonly UndoRow[]> {
    const records = new Map<string, AuditRecord>();
    for await (const record of new AuditLog((await session.broker()).state).list()) records.set(record.id, record);
    const here = await listHere(session, records);
    const elsewhere = [...records.values()].flatMap((record): UndoRow[] => {
      if (record.bundle === null || here.some(({ id }) => id === record.id)) return [];
      const { id, at, operation, command, user, undoneBy, bundle } = record;
      const { host, file, bytes } = bundle;
      return [{ id, at, operation, command, jobs: bundle.records, user, host, file, here: false, bytes, undoneBy }];
    });
    return [...here, ...elsewhere].sort((a, b) => b.at - a.at);
  },
  commandLine: () => ['undo'],
});

/** The bundles of this broker in the folder of this machine. */
async function listHere(session: Session, records: ReadonlyMap<string, AuditRecord>): Promise<UndoRow[]> {
  const { undoDir } = session;
  if (undoDir === undefined) return [];
  const rows: UndoRow[] = [];
  for (const { id, path, bytes, at } of await listBundles(undoDir)) {
    const header = await new BundleReader(path).readHeader().catch(() => undefined);
    if (header === undefined || !(await isSameBroker(session, header))) continue;
    const { operation, commandLine: command, user, host } = header;
    const record = records.get(id);
    rows.push({
      ...{ id, at, operation, command, jobs: record?.bundle?.records ?? null, user, host },
      ...{ file: path, here: true, bytes, undoneBy: record?.undoneBy ?? null },
    });
  }
  return rows;
}
