import { readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatJobLine } from '../../../../src/ops/transfer/transfer-line.ts';
import { createRecord } from '../../../ops/undo/job-records.ts';
import { createFolderOfRun } from '../../../support/run-folder.ts';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

const LINES = ['a', 'b'].map((id) => formatJobLine(createRecord(id, { queue: 'mail' }))).join('');

function setup() {
  const broker = new FakeBroker();
  return { broker, session: createFakeSession(broker) };
}

describe('argv to input', () => {
  test('a file, and what to do with it', async () => {
    expect(await parseInput('jobs', 'import', 'x.gz')).toMatchObject({ file: 'x.gz', queue: undefined });
    expect(await parseInput('jobs', 'import', '-', '-Q', 'repair', '--skip-invalid')).toMatchObject({
      ...{ file: '-', queue: 'repair', skipInvalid: true },
    });
    expect(await usageFault('jobs', 'import')).toMatch(/file/);
    expect(await usageFault('jobs', 'import', '')).toMatch(/was given no file/);
  });
});

test('jobs of a file are stored', async () => {
  const { broker, session } = setup();
  const file = join(createFolderOfRun('import'), 'jobs.ndjson');
  await writeFile(file, LINES);
  expect(await run(['jobs', 'import', file, '--yes'], { session })).toMatchObject({
    ...{ exitCode: 0, stdout: 'imported 2 of 2 jobs\n' },
  });
  expect([...broker.queue('mail').jobs.keys()]).toEqual(['a', 'b']);
  expect(await run(['jobs', 'import', file, '--yes'], { session })).toMatchObject({
    ...{ exitCode: 0, stdout: 'imported 0 of 2 jobs\n' },
    stderr: expect.stringContaining('2 were there already'),
  });
});

test('jobs come on stdin too, and nothing of them stays on the disk', async () => {
  const { broker, session } = setup();
  const ran = await run(['jobs', 'import', '-', '--yes', '--json'], { session, stdin: LINES });
  expect(JSON.parse(ran.stdout)).toMatchObject({ matched: 2, imported: 2, present: 0, failed: [], stopped: null });
  expect(broker.queue('mail').jobs.size).toBe(2);
  const { session: other } = setup();
  const failed = await run(['jobs', 'import', '-', '--yes'], { session: other, stdin: 'nonsense\n' });
  expect(failed).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('line 1 of stdin: it is no JSON') });
  expect((await readdir(tmpdir())).filter((name) => name.startsWith('tq-stdin-'))).toEqual([]);
});

test('a dry run shows what is in the file', async () => {
  const { broker, session } = setup();
  const ran = await run(['jobs', 'import', '-', '--dry-run'], { session, stdin: LINES });
  expect(ran).toMatchObject({ exitCode: 0, stdout: 'would import 2 jobs\nmail\twaiting\t2\n' });
  expect(broker.changes).toEqual([]);
});

test('lines that are left out are named, and end with 1', async () => {
  const { session } = setup();
  const ran = await run(['jobs', 'import', '-', '--skip-invalid', '--yes'], { session, stdin: `x\n${LINES}` });
  expect(ran).toMatchObject({ exitCode: 1, stdout: 'imported 2 of 2 jobs\n' });
  expect(ran.stderr).toContain('line 1: it is no JSON\n');
});

test('without a person and without --yes nothing is stored', async () => {
  const { broker, session } = setup();
  expect(await run(['jobs', 'import', '-'], { session, stdin: LINES })).toMatchObject({ exitCode: 2 });
  expect(broker.changes).toEqual([]);
});
