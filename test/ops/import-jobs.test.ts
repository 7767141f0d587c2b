import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { JobRecord } from '../../src/engine/core/job-record.ts';
import { execute, type GateOptions } from '../../src/ops/gate.ts';
import { importJobs } from '../../src/ops/import-jobs.ts';
import { formatJobLine, formatStateLine } from '../../src/ops/transfer/transfer-line.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { createFolderOfRun } from '../support/run-folder.ts';
import { KeptJobs } from './kept-jobs.ts';
import { createRecord } from './undo/job-records.ts';

function setup() {
  const broker = new FakeBroker();
  const keeper = new KeptJobs();
  const folder = createFolderOfRun('import');
  const run = async (content: string | Buffer, input: object = {}, options: Partial<GateOptions> = {}) => {
    const file = join(folder, 'jobs.ndjson');
    await writeFile(file, content);
    const given = { file, ...input };
    return await execute(importJobs, given, {
      ...{ session: createFakeSession(broker), yes: true, createKeeper: () => keeper },
      ...options,
    });
  };
  return { broker, keeper, run };
}

const line = (id: string, more: Partial<JobRecord> = {}): string =>
  formatJobLine(createRecord(id, { queue: 'mail', ...more }));

const changed = (fields: object): string => `${JSON.stringify({ ...JSON.parse(line('x')), ...fields })}\n`;

test('jobs are stored in their queues, and kept as ones that were added', async () => {
  const { broker, keeper, run } = setup();
  expect(await run(line('a') + line('b', { queue: 'slow', place: 'active' }))).toMatchObject({
    result: { matched: 2, imported: 2, present: 0, failed: [], failedCount: 0, undo: 'op1', stopped: null },
  });
  expect([...broker.queue('mail').jobs.keys()]).toEqual(['a']);
  expect([...broker.queue('slow').jobs.keys()]).toEqual(['b']);
  expect(keeper.kept).toMatchObject([{ record: { id: 'a' } }, { record: { id: 'b', place: 'waiting' } }]);
});

test('a dry run counts by queues and places, and stores nothing', async () => {
  const { broker, run } = setup();
  const content = gzipSync(line('a') + line('b') + line('c', { place: 'dead' }));
  expect(await run(content, {}, { dryRun: true })).toEqual({
    kind: 'planned',
    plan: {
      summary: 'would import 3 jobs',
      count: 3,
      rows: [
        { queue: 'mail', place: 'waiting', jobs: 2 },
        { queue: 'mail', place: 'dead', jobs: 1 },
      ],
    },
  });
  expect(broker.changes).toEqual([]);
});

test('an id that is there already, or twice in the file, is left as it is and counted', async () => {
  const { broker, keeper, run } = setup();
  broker.store('mail', { id: 'a', task: 'mine' });
  expect(await run(line('a') + line('b') + line('b'))).toMatchObject({
    result: { matched: 3, imported: 1, present: 2, failedCount: 0 },
  });
  expect(broker.queue('mail').jobs.get('a')).toMatchObject({ task: 'mine' });
  expect(keeper.leftAlone).toMatchObject([{ id: 'a' }, { id: 'b' }]);
});

test('what waits for others comes first, and parts of flows that have ended last, whatever the order in the file', async () => {
  const { broker, run } = setup();
  const parent = { queue: 'top', id: 'p', onDead: null };
  const record = { key: 'workflow/w/head/w', value: '{}', leftMs: 1000 };
  const content =
    line('done', { parent, place: 'completed', queue: 'one' }) +
    line('open', { parent, queue: 'two' }) +
    line('p', { queue: 'top', place: 'blocked' }) +
    formatStateLine(record);
  await run(content);
  expect(broker.changes.filter((change) => change.startsWith('restore'))).toEqual([
    ...['restore 1 into top', 'restore 1 into two', 'restore 1 into one'],
  ]);
  expect(await broker.state.read(record.key)).toMatchObject({ value: '{}', leftMs: expect.any(Number) });
});

test('into one queue come all but parts of flows', async () => {
  const { broker, run } = setup();
  const parent = { queue: 'top', id: 'p', onDead: null };
  expect(await run(line('a') + line('b', { parent }), { queue: 'repair' })).toMatchObject({
    result: { matched: 2, imported: 1, failed: [{ id: 'b', message: expect.stringContaining('without --queue') }] },
  });
  expect([...broker.queue('repair').jobs.keys()]).toEqual(['a']);
});

describe('bad input', () => {
  const cases: [title: string, content: string | Buffer, line: number, reason: string][] = [
    ['no JSON', `${line('a')}nonsense\n${line('b')}`, 2, 'it is no JSON'],
    ['an array', '[]\n', 1, 'it is no JSON object'],
    ['a line of something else', '{"a":1}\n', 1, '"v" must be 1'],
    ['a newer version', changed({ v: 2 }), 1, 'it is of version 2 of the format, and this tq knows versions up to 1'],
    ['an unknown kind', changed({ kind: 'lease' }), 1, 'its kind "lease" is not known'],
    ['a missing field', changed({ createdAt: undefined }), 1, '"createdAt" is missing'],
    ['a wrong type', changed({ priority: 'high' }), 1, '"priority" must be number: got "high"'],
    ['a wrong place', changed({ place: 'elsewhere' }), 1, '"place" must be'],
    ['data that is no JSON', changed({ data: '{' }), 1, '"data" holds no JSON'],
    ['a queue without a name', changed({ queue: 'a b' }), 1, '"queue" is no name of a queue'],
    ['a child of nobody', changed({ children: [{ queue: 'a', end: 'done' }] }), 1, '"children.0.id" is missing'],
    [
      'options nested too deeply',
      changed({ options: JSON.parse(`${'{"a":'.repeat(500)}1${'}'.repeat(500)}`) }),
      1,
      '"options" is nested too deeply',
    ],
    [
      'state that is none of a workflow',
      '{"v":1,"kind":"state","key":"lease/a","value":"x","leftMs":null}\n',
      1,
      '"key" is no record of a workflow',
    ],
    ['a file cut in a line', (line('a') + line('b')).slice(0, -40), 2, 'the file is cut in the middle of this line'],
    ['a packed file that is cut', gzipSync(line('a')).subarray(0, -9), 2, 'the packed file is cut'],
  ];

  test.each(cases)('%s is named with its line, and nothing is stored', async (_, content, number, reason) => {
    const { broker, run } = setup();
    await expect(run(content)).rejects.toMatchObject({
      ...{ code: 'IMPORT_INVALID', exitCode: 1 },
      message: expect.stringMatching(new RegExp(`line ${number} of .*${escapePattern(reason)}.*nothing was stored`)),
      next: expect.stringContaining('--skip-invalid'),
    });
    expect(broker.changes).toEqual([]);
  });

  test('the good lines are imported when it is asked for, and the bad ones named', async () => {
    const { broker, run } = setup();
    expect(await run(`${line('a')}nonsense\n${line('b')}{"v":1,`, { skipInvalid: true })).toMatchObject({
      result: {
        ...{ matched: 2, imported: 2, failedCount: 2 },
        failed: [
          { id: 'line 2', message: 'it is no JSON' },
          { id: 'line 4', message: 'the file is cut in the middle of this line' },
        ],
      },
    });
    expect([...broker.queue('mail').jobs.keys()]).toEqual(['a', 'b']);
  });

  test('a file that is not there', async () => {
    const { run } = setup();
    await expect(run('', { file: '/nowhere/jobs.ndjson' })).rejects.toMatchObject({
      ...{ code: 'IMPORT_UNREADABLE', message: expect.stringContaining('there is no such file') },
    });
    await expect(run('', { file: '/' })).rejects.toMatchObject({ message: expect.stringContaining('it is a folder') });
  });
});

describe('interrupted', () => {
  const many = Array.from({ length: 1200 }, (_, index) => line(`${index}`)).join('');

  test('asked to stop it ends after a page, and run again it stores the rest', async () => {
    const { broker, run } = setup();
    const stopping = new AbortController();
    const options = { signal: stopping.signal, onProgress: () => stopping.abort() };
    expect(await run(many, {}, options)).toMatchObject({
      result: { imported: 500, stopped: 'it was asked to stop' },
    });
    expect(await run(many)).toMatchObject({ result: { matched: 1200, imported: 700, present: 500, stopped: null } });
    expect(broker.queue('mail').jobs.size).toBe(1200);
  });

  test('when the broker goes away in the middle it says what was stored', async () => {
    const { broker, run } = setup();
    const execution = await run(many, {}, { onProgress: () => broker.break() });
    expect(execution).toMatchObject({ result: { imported: 500, stopped: expect.stringContaining('6379') } });
  });

  test('what was not kept is not stored', async () => {
    const { broker, keeper, run } = setup();
    keeper.failure = new Error('no space left');
    await expect(run(line('a'))).rejects.toThrow('no space left');
    expect(broker.changes).toEqual([]);
  });
});

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
