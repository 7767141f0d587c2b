import { open, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { BULK_PAGE } from '../../../src/engine/broker/bulk-port.ts';
import { createRunId } from '../../../src/engine/core/run-id.ts';
import { bundlePath, findBundle, listBundles } from '../../../src/ops/undo/bundle-folder.ts';
import { BUNDLE_VERSION } from '../../../src/ops/undo/bundle-format.ts';
import { BundleReader, type KeptPage, recordsOf } from '../../../src/ops/undo/bundle-reader.ts';
import { createUndoKeeper } from '../../../src/ops/undo/create-undo-keeper.ts';
import type { ClosableKeeper } from '../../../src/ops/undo-keeper.ts';
import { withTempDir } from '../../support/temp-dir.ts';
import { createRecord } from './job-records.ts';

const NOW = Date.UTC(2031, 4, 1);
const DAY_MS = 86_400_000;
const ID = createRunId(NOW);

interface Given {
  id?: string;
  maxBytes?: number;
  warn?: (text: string) => void;
  pid?: number;
}

function createKeeper(dir: string, { id = ID, maxBytes = 2 ** 30, warn = () => {}, pid = 1 }: Given = {}) {
  return createUndoKeeper({
    ...{ id, dir, maxBytes, keepMs: 7 * DAY_MS, now: () => NOW, warn },
    readHeader: async () => ({
      ...{ v: BUNDLE_VERSION, id, operation: 'purge-queues', at: NOW, broker: 'redis://box', brokerId: null },
      ...{ commandLine: 'tq purge', user: 'ada', host: hostname(), pid },
    }),
  });
}

async function readPages(path: string): Promise<{ pages: KeptPage[]; isCut: boolean }> {
  const reader = new BundleReader(path);
  const pages: KeptPage[] = [];
  for await (const each of reader.pages()) pages.push(each);
  return { pages, isCut: reader.isCut };
}

const page = (name: string, size = 3) => Array.from({ length: size }, (_, index) => createRecord(`${name}-${index}`));
const idsOf = (pages: readonly KeptPage[]) => pages.map((each) => recordsOf(each).map(({ id }) => id));
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

async function errorOf(promise: Promise<unknown>) {
  return await promise.then(
    () => expect.unreachable('it should have failed'),
    (error: Error & { next: string }) => error,
  );
}

describe('what is kept', () => {
  test('is read back page by page, as it was, without what was left alone', () =>
    withTempDir(async (dir) => {
      const keeper = createKeeper(dir);
      expect(keeper.undo).toBeNull();
      const first = page('a');
      await keeper.keep(first, null);
      keeper.left([createRecord('a-1')]);
      await keeper.keep(page('b'), { queue: 'low', place: 'waiting', data: { 'b-0': '{}' } });
      await keeper.keepNew(page('c'));
      keeper.left([createRecord('c-0'), createRecord('c-1'), createRecord('b-0', { queue: 'low' })]);
      expect(keeper.undo).toBe(ID);
      expect(await keeper.close()).toMatchObject({ id: ID, host: hostname(), file: bundlePath(dir, ID), records: 9 });
      const { pages, isCut } = await readPages(bundlePath(dir, ID));
      expect(isCut).toBe(false);
      expect(idsOf(pages)).toEqual([['a-0', 'a-2'], ['b-0', 'b-1', 'b-2'], ['c-2']]);
      expect(pages.map(({ was, after }) => ({ was, after }))).toEqual([
        { was: 'there', after: null },
        { was: 'there', after: { queue: 'low', place: 'waiting' } },
        { was: 'absent', after: { queue: 'high', place: 'waiting' } },
      ]);
      expect(pages[0]?.kept[0]?.record).toEqual(first[0]);
      expect(pages[1]?.kept.map(({ data }) => typeof data)).toEqual(['string', 'undefined', 'undefined']);
      expect(await new BundleReader(bundlePath(dir, ID)).readHeader()).toMatchObject({ id: ID, user: 'ada' });
    }));

  test('is left out when it was left alone, also when that is said after the next page', () =>
    withTempDir(async (dir) => {
      const keeper = createKeeper(dir);
      await keeper.keep(page('a', BULK_PAGE), null);
      await keeper.keep(page('b', BULK_PAGE), null);
      keeper.left([createRecord('a-7')]);
      await keeper.keep(page('c', BULK_PAGE), null);
      keeper.left([createRecord('b-7')]);
      await keeper.close();
      const { pages } = await readPages(bundlePath(dir, ID));
      expect(idsOf(pages).map((ids) => ids.length)).toEqual([BULK_PAGE - 1, BULK_PAGE - 1, BULK_PAGE]);
      expect(idsOf(pages).flat()).not.toContain('a-7');
      expect(idsOf(pages).flat()).not.toContain('b-7');
    }));

  test('can be read by its user alone', () =>
    withTempDir(async (parent) => {
      const dir = join(parent, 'state', 'undo');
      const keeper = createKeeper(dir);
      await keeper.keep(page('a'), null);
      await keeper.close();
      expect([await modeOf(dir), await modeOf(bundlePath(dir, ID))]).toEqual(['700', '600']);
    }));

  test('is on the disk when keep resolves: the file of a writer that dies then is whole up to there', () =>
    withTempDir(async (dir) => {
      const keeper = createKeeper(dir);
      await keeper.keep(page('a'), null);
      const found = await findBundle(dir, ID);
      expect(found).toMatchObject({ isUnfinished: true });
      const { pages, isCut } = await readPages(found?.path ?? '');
      expect(idsOf(pages)).toEqual([['a-0', 'a-1', 'a-2']]);
      expect(isCut).toBe(true);
      await keeper.close();
    }));

  test('is nothing, and no file, when nothing was kept', () =>
    withTempDir(async (dir) => {
      const keeper = createKeeper(dir);
      await keeper.keep([], null);
      expect(await keeper.close()).toBeNull();
      expect(await readdir(dir)).toEqual([]);
    }));
});

describe('a file that was cut', () => {
  test('anywhere is read up to the cut, and says so', () =>
    withTempDir(async (dir) => {
      const keeper = createKeeper(dir);
      await keeper.keep(page('a', 50), null);
      await keeper.keep(page('b', 50), null);
      await keeper.close();
      const path = bundlePath(dir, ID);
      const whole = await readFile(path);
      let most = 0;
      for (let length = whole.length - 1; length > 0; length -= 5) {
        await writeFile(path, whole.subarray(0, length));
        const read = await readPages(path).catch((error: { code: string }) => error.code);
        if (typeof read === 'string') {
          expect(read).toBe('UNDO_UNREADABLE');
          continue;
        }
        const ids = idsOf(read.pages).flat();
        // Only a check sum is missing when its last line is there.
        expect(read.isCut).toBe(length < whole.length - 8);
        expect(ids).toEqual([...page('a', 50), ...page('b', 50)].map(({ id }) => id).slice(0, ids.length));
        most = Math.max(most, ids.length);
      }
      expect(most).toBe(100);
    }));

  test('to nothing, or that never was a bundle, is refused', () =>
    withTempDir(async (dir) => {
      const path = bundlePath(dir, ID);
      for (const content of ['', 'hello']) {
        await writeFile(path, content);
        expect(await errorOf(readPages(path))).toMatchObject({ code: 'UNDO_UNREADABLE' });
      }
      expect(await errorOf(readPages(join(dir, 'nothing')))).toMatchObject({ code: 'UNDO_UNREADABLE' });
    }));

  test('and a file of a newer version is refused', () =>
    withTempDir(async (dir) => {
      const keeper = createUndoKeeper({
        ...{ id: ID, dir, maxBytes: 2 ** 30, keepMs: DAY_MS, now: () => NOW, warn: () => {} },
        readHeader: async () => ({
          ...{ v: BUNDLE_VERSION + 1, id: ID, operation: 'x', at: NOW, broker: 'b', brokerId: null },
          ...{ commandLine: '', user: 'ada', host: 'h', pid: 1 },
        }),
      });
      await keeper.keep(page('a'), null);
      await keeper.close();
      expect((await errorOf(readPages(bundlePath(dir, ID)))).message).toContain('by a newer tq');
    }));
});

describe('the folder', () => {
  async function keepAt(dir: string, at: number, options: Given = {}): Promise<string> {
    const id = createRunId(at);
    const keeper = createKeeper(dir, { ...options, id });
    await keeper.keep(page('x', 100), null);
    await keeper.close();
    return id;
  }
  const listIds = async (dir: string) => (await listBundles(dir)).map(({ id }) => id);

  test('loses what is older than it is kept, and nothing that is not a bundle', () =>
    withTempDir(async (dir) => {
      await keepAt(dir, NOW - 8 * DAY_MS);
      const recent = await keepAt(dir, NOW - 6 * DAY_MS);
      await writeFile(join(dir, 'notes.txt'), 'mine');
      await truncate(join(dir, 'notes.txt'), 4);
      const now = await keepAt(dir, NOW);
      expect(await listIds(dir)).toEqual([recent, now]);
      expect(await readdir(dir)).toContain('notes.txt');
    }));

  test('loses the oldest, with a warning, when a new one needs the room', () =>
    withTempDir(async (dir) => {
      const oldest = await keepAt(dir, NOW - 3 * DAY_MS);
      const older = await keepAt(dir, NOW - 2 * DAY_MS);
      const { bytes } = (await findBundle(dir, older)) ?? { bytes: 0 };
      const warnings: string[] = [];
      await keepAt(dir, NOW, { maxBytes: Math.round(2.5 * bytes), warn: (text) => warnings.push(text) });
      expect(await listIds(dir)).toEqual([older, expect.any(String)]);
      expect(warnings).toEqual([expect.stringContaining(oldest)]);
    }));

  test('keeps the bundle that a living process writes', () =>
    withTempDir(async (dir) => {
      const id = createRunId(NOW - DAY_MS);
      const living = createKeeper(dir, { id, pid: process.pid });
      await living.keep(page('x', 100), null);
      const { bytes } = (await findBundle(dir, id)) ?? { bytes: 0 };
      const keeper = createKeeper(dir, { maxBytes: Math.round(1.5 * bytes) });
      expect(await errorOf(keeper.keep(page('y', 100), null))).toMatchObject({ code: 'UNDO_NOT_KEPT' });
      await Promise.all([keeper.close(), living.close()]);
      expect(await listIds(dir)).toEqual([id]);
    }));

  test('that one bundle would fill is refused to it: what was kept stays, and the error says what to do', () =>
    withTempDir(async (dir) => {
      const other = await keepAt(dir, NOW - DAY_MS);
      const { bytes } = (await findBundle(dir, other)) ?? { bytes: 0 };
      const keeper = createKeeper(dir, { maxBytes: Math.round(1.5 * bytes) });
      await keeper.keep(page('a', 100), null);
      const error = await errorOf(keeper.keep(page('b', 100), null));
      expect(error).toMatchObject({ code: 'UNDO_NOT_KEPT' });
      expect(error.message).toContain(`100 jobs had been kept and changed before, \`tq undo ${ID}\` takes that back`);
      expect(error.next).toMatch(/TQ_UNDO_MAX.*--no-undo/);
      await keeper.close();
      const { pages, isCut } = await readPages(bundlePath(dir, ID));
      expect({ jobs: idsOf(pages).flat().length, isCut }).toEqual({ jobs: 100, isCut: false });
    }));

  test('that cannot be written is named before anything is changed', () =>
    withTempDir(async (dir) => {
      await writeFile(join(dir, 'file'), '');
      const keeper = createKeeper(join(dir, 'file', 'undo'));
      const error = await errorOf(keeper.keep(page('a'), null));
      expect(error).toMatchObject({ code: 'UNDO_NOT_KEPT' });
      expect(error.message).toContain('nothing was changed');
      expect(await keeper.close()).toBeNull();
    }));

  // The user of a test run may be one who may write everywhere, so the refusal is that of the file system's call.
  test('that its user may not write is said to be so', () =>
    withTempDir(async (dir) => {
      const probe = await open(join(dir, 'probe'), 'w');
      const sync = vi.spyOn(Object.getPrototypeOf(probe), 'datasync');
      await probe.close();
      try {
        sync.mockRejectedValueOnce(Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' }));
        const error = await errorOf(createKeeper(dir).keep(page('a'), null));
        expect(error.message).toContain('this user may not write there');
        expect(error.next).toContain('TQ_UNDO_DIR');
      } finally {
        sync.mockRestore();
      }
    }));
});

test('a disk that is full in the middle of a page leaves the file as it was, and nothing of that page is to be changed', () =>
  withTempDir(async (dir) => {
    const keeper = createKeeper(dir);
    await keeper.keep(page('a', 50), null);
    const probe = await open(join(dir, 'probe'), 'w');
    const sync = vi.spyOn(Object.getPrototypeOf(probe), 'datasync');
    await probe.close();
    try {
      sync.mockRejectedValueOnce(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }));
      const error = await errorOf(keeper.keep(page('b', 50), null));
      expect(error).toMatchObject({ code: 'UNDO_NOT_KEPT' });
      expect(error.message).toContain('the disk is full; 50 jobs had been kept and changed before');
      // There is room again: it goes on behind what is whole.
      await keeper.keep(page('c', 50), null);
    } finally {
      sync.mockRestore();
    }
    await keeper.close();
    const { pages, isCut } = await readPages(bundlePath(dir, ID));
    expect(pages.map(({ kept }) => kept[0]?.record.id)).toEqual(['a-0', 'c-0']);
    expect(isCut).toBe(false);
  }));

test('pages that are kept at the same time stand behind each other', () =>
  withTempDir(async (dir) => {
    const keeper: ClosableKeeper = createKeeper(dir);
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => keeper.keep(page(name, 20), null)));
    await keeper.close();
    const { pages } = await readPages(bundlePath(dir, ID));
    expect(pages.map((each) => each.kept.length)).toEqual([20, 20, 20, 20]);
  }));
