import { EventEmitter } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createFolderOfRun } from '../../../support/run-folder.ts';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

function setup() {
  const broker = new FakeBroker()
    .store('mail', { id: 'w', args: [{ to: 'a@x.de' }] }, { id: 'd', state: 'FAILURE', finishedAt: 1 })
    .store('slow', { id: 'v' });
  const file = join(createFolderOfRun('export'), 'jobs.ndjson');
  return { broker, session: createFakeSession(broker), file };
}

const idsOf = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).id);

describe('argv to input', () => {
  test('jobs are chosen as elsewhere, and written to stdout or a file', async () => {
    expect(await parseInput('jobs', 'export', '--all')).toEqual({
      ...{ choice: { all: true }, output: undefined, force: false },
    });
    expect(await parseInput('jobs', 'export', 'a', '-Q', 'mail', '-o', 'x.gz', '--force')).toEqual({
      ...{ choice: { ids: ['a'], queue: 'mail' }, output: 'x.gz', force: true },
    });
    expect(await usageFault('jobs', 'export')).toMatch(/was given no jobs/);
    expect(await usageFault('jobs', 'export', '--all', '--where', 'task:a')).toMatch(/more than one choice/);
    expect(await usageFault('jobs', 'export', '--where', 'tsk:a')).toMatch(/there is no field "tsk"/);
  });
});

test('every job is a line of JSON with its version on stdout, and nothing is changed', async () => {
  const { broker, session } = setup();
  const ran = await run(['jobs', 'export', '--all'], { session });
  expect(ran).toMatchObject({ exitCode: 0, stderr: 'exported 3 jobs\n' });
  expect(idsOf(ran.stdout)).toEqual(['w', 'd', 'v']);
  expect(JSON.parse(ran.stdout.split('\n')[0] ?? '')).toMatchObject({
    v: 1,
    kind: 'job',
    queue: 'mail',
    place: 'waiting',
  });
  expect(ran.stdout).not.toContain('rank');
  expect(broker.changes).toEqual([]);
});

test('a file is new, for its user alone, and packed by its name', async () => {
  const { session, file } = setup();
  const ran = await run(['jobs', 'export', '-Q', 'mail', '-o', `${file}.gz`, '--json'], { session });
  expect(JSON.parse(ran.stdout)).toEqual({
    ...{ matched: 2, exported: 2, failed: [], failedCount: 0, output: `${file}.gz` },
    ...{ bytes: (await stat(`${file}.gz`)).size, stopped: null },
  });
  expect(idsOf(gunzipSync(await readFile(`${file}.gz`)).toString())).toEqual(['w', 'd']);
  expect((await stat(`${file}.gz`)).mode & 0o777).toBe(0o600);
});

test('a file that is there stays, unless it is to be replaced', async () => {
  const { session, file } = setup();
  await writeFile(file, 'mine');
  const refused = await run(['jobs', 'export', '--all', '-o', file], { session });
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('[EXPORT_REFUSED]') });
  expect(refused.stderr).toContain('--force');
  expect(await readFile(file, 'utf8')).toBe('mine');
  expect(await run(['jobs', 'export', 'v', '-o', file, '--force'], { session })).toMatchObject({ exitCode: 0 });
  expect(idsOf(await readFile(file, 'utf8'))).toEqual(['v']);
});

test('named jobs that are not there are named, and end with 1, or 3 if there is none', async () => {
  const { session } = setup();
  expect(await run(['jobs', 'export', 'w', 'x'], { session })).toMatchObject({
    ...{ exitCode: 1, stderr: 'x: no queue holds it\nexported 1 job\n' },
  });
  expect(await run(['jobs', 'export', 'x'], { session })).toMatchObject({ exitCode: 3, stdout: '' });
});

test('a query that no job fits is no failure', async () => {
  const { session } = setup();
  expect(await run(['jobs', 'export', '--where', 'task:none'], { session })).toMatchObject({ exitCode: 0, stdout: '' });
});

test('a broker that is away leaves no file', async () => {
  const { file } = setup();
  const session = createFakeSession(new FakeBroker().break());
  expect(await run(['jobs', 'export', '--all', '-o', file], { session })).toMatchObject({ exitCode: 69 });
  await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('Ctrl-C ends it after a page, with whole lines, and it says how far it came', async () => {
  const broker = new FakeBroker().store('mail', ...Array.from({ length: 1500 }, (_, index) => ({ id: `${index}` })));
  const { file } = setup();
  const signals = new EventEmitter();
  const { readRecords } = broker.queue('mail').bulk;
  broker.queue('mail').bulk.readRecords = async function (ids) {
    signals.emit('SIGINT', 'SIGINT');
    return await readRecords.call(this, ids);
  };
  const session = createFakeSession(broker);
  const ran = await run(['jobs', 'export', '--all', '-o', file], { session, signals });
  expect(ran).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('it was asked to stop') });
  expect(await readFile(file, 'utf8')).toMatch(/^(\{.*\}\n)*$/);
});
