import { expect, test } from 'vitest';
import {
  formatRunRecord,
  parseRunRecord,
  type RunRecord,
  RunRecords,
} from '../../../src/engine/schedule/run-record.ts';
import { createFakeState } from '../broker/fake-state.ts';

const started: RunRecord = {
  ...{ jobId: 'repeat:nightly:5000', dueAt: 5000, startedAt: 5010, state: 'STARTED', finishedAt: null, worker: 'tq@a' },
};
const ended: RunRecord = { ...started, state: 'SUCCESS', finishedAt: 5900 };

test('a record is read as it was written', () => {
  expect(parseRunRecord(formatRunRecord(started))).toEqual(started);
  expect(parseRunRecord(formatRunRecord(ended))).toEqual(ended);
});

test('what another hand wrote counts as no record', () => {
  const wrong = [{ v: 2 }, { jobId: 7 }, { dueAt: null }, { state: 'DONE' }, { finishedAt: 'now' }, { worker: null }];
  for (const part of wrong) expect(parseRunRecord(JSON.stringify({ v: 1, ...ended, ...part }))).toBeUndefined();
  expect(parseRunRecord('{"v":1')).toBeUndefined();
});

test('the records of several entries are read in the order of the names', async () => {
  const records = new RunRecords(createFakeState());
  expect(await records.note('b', started)).toBe(true);
  expect(await records.read(['a', 'b'])).toEqual([undefined, started]);
  await records.remove('b');
  expect(await records.read(['b'])).toEqual([undefined]);
});

test('the end of a firing does not replace what became of one that was due later', async () => {
  const records = new RunRecords(createFakeState());
  const later = { ...started, jobId: 'repeat:nightly:6000', dueAt: 6000 };
  await records.note('nightly', started);
  await records.note('nightly', later);
  expect(await records.note('nightly', ended)).toBe(false);
  expect(await records.read(['nightly'])).toEqual([later]);
});

test('of writers at the same time, the firing that was due last stays', async () => {
  const records = new RunRecords(createFakeState());
  const firings = [3, 9, 1, 7, 5].map((dueAt) => ({ ...started, jobId: `j${dueAt}`, dueAt }));
  await Promise.all(firings.map((firing) => records.note('nightly', firing)));
  expect(await records.read(['nightly'])).toMatchObject([{ jobId: 'j9' }]);
});

test('of two that replace what both have read, one does', async () => {
  const records = new RunRecords(createFakeState());
  const seen = await records.readVersion('nightly');
  expect(seen).toEqual({ version: null });
  const other = { ...started, jobId: 'other' };
  const written = await Promise.all([started, other].map((each) => records.replace('nightly', each, seen.version)));
  expect(written).toEqual([true, false]);
  const { record, version } = await records.readVersion('nightly');
  expect(record).toEqual(started);
  expect(await records.replace('nightly', other, version)).toBe(true);
  expect(await records.read(['nightly'])).toEqual([other]);
});
