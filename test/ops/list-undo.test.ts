import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AuditLog, type AuditRecord } from '../../src/ops/audit-log.ts';
import { listUndo } from '../../src/ops/list-undo.ts';
import { READING } from '../../src/ops/operation.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { createRecord } from './audit-records.ts';
import { createUndoDir } from './undo/undoable-broker.ts';

test('what was kept on other machines is listed with where it lies, and what was not kept is not', async () => {
  const session = createFakeSession();
  const log = new AuditLog(session.fake.state);
  const bundle = { host: 'web-7', file: '/var/undo/mhy2k9x1-04af.ndjson.gz', records: 12, bytes: 900 };
  await log.write(createRecord('mhy2k9x1-04af', { bundle }));
  await log.write(createRecord('mhy2k9x2-0000'));
  const rows = await listUndo.run({ ...session, undoDir: createUndoDir() }, {}, READING);
  const { id, operation, command, user, at } = createRecord('mhy2k9x1-04af') satisfies AuditRecord;
  expect(rows).toEqual([
    {
      id,
      at,
      operation,
      command,
      jobs: 12,
      user,
      host: 'web-7',
      file: bundle.file,
      here: false,
      bytes: 900,
      undoneBy: null,
    },
  ]);
});

test('a file that is no bundle is passed over', async () => {
  const undoDir = createUndoDir();
  await mkdir(undoDir, { recursive: true });
  await writeFile(join(undoDir, 'mhy2k9x1-04af.ndjson.gz'), 'hello');
  expect(await listUndo.run({ ...createFakeSession(), undoDir }, {}, READING)).toEqual([]);
});
