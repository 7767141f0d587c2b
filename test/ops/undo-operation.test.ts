import { truncate } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NewJob } from '../../src/engine/core/job.ts';
import type { JobRecord } from '../../src/engine/core/job-record.ts';
import { AuditLog } from '../../src/ops/audit-log.ts';
import { editDeadLetters } from '../../src/ops/edit-dead-letters.ts';
import { editJobs } from '../../src/ops/edit-jobs.ts';
import { execute } from '../../src/ops/gate.ts';
import { listUndo } from '../../src/ops/list-undo.ts';
import { moveJobs } from '../../src/ops/move-jobs.ts';
import { promoteJobs } from '../../src/ops/promote-jobs.ts';
import { purgeQueues } from '../../src/ops/purge-queues.ts';
import { reprocessDeadLetters } from '../../src/ops/reprocess-dead-letters.ts';
import { findBundle } from '../../src/ops/undo/bundle-folder.ts';
import { undoOperation } from '../../src/ops/undo-operation.ts';
import { brokersUnderTest } from '../support/brokers.ts';
import { waitFor } from '../support/wait-for.ts';
import { around, createUndoDir, openUndoable, type UndoableBroker } from './undo/undoable-broker.ts';

let createdAt = Date.now() - 600_000;
const job = (id: string, more: Partial<NewJob> = {}): NewJob => ({
  ...{ id, task: 'mail', args: [{ to: id }], meta: {}, createdAt: createdAt++ },
  ...more,
});

/** What a job is, without what a store may count anew. */
const settle = ({ rank: _, ...record }: JobRecord) => record;

describe.each(brokersUnderTest())('an undo on $name', (store) => {
  let it: UndoableBroker;
  beforeEach(async () => {
    it = await openUndoable(store);
  });
  afterEach(() => it.close());

  const fill = async () => {
    await it.broker.queue('high').addBulk([job('a'), job('b'), job('late', { delayMs: 3_600_000 }), job('c')]);
  };
  const kill = async (...ids: string[]) => {
    const error = { name: 'Error', message: 'no', code: null, stack: 'Error: no\n    at send (mail.ts:1:1)' };
    await it.broker.queue('high').addBulk(ids.map((id) => job(id)));
    const probe = await it.consume('high', { perform: () => ({ kind: 'dead', error }) });
    await waitFor('the jobs to die', async () => (await it.broker.queue('high').counts()).dead === ids.length);
    await probe.settled();
    await probe.stop();
  };
  const undo = (id: string | null, more: object = {}) => it.run(undoOperation, { id, ...more });
  const all = async () => (await it.readAll('high', 'low')).map(settle);

  test('of a purge puts every job back as it was, in its order; undoing that removes them again', async () => {
    await fill();
    const before = await all();
    const purged = await it.run(purgeQueues, { all: true });
    expect(purged).toEqual({ purged: { high: 4 }, total: 4, undo: expect.any(String) });
    expect(await all()).toEqual([]);
    const undone = await undo(purged.undo);
    expect(undone).toMatchObject({
      undone: purged.undo,
      matched: 4,
      restored: 4,
      failed: [],
      reasons: {},
      isCut: false,
    });
    expect(await all()).toEqual(before);
    const again = await undo(undone.undo);
    expect(again).toMatchObject({ matched: 4, restored: 4, failed: [] });
    expect(await all()).toEqual([]);
    expect(await undo(again.undo)).toMatchObject({ restored: 4 });
    expect(await all()).toEqual(before);
  });

  test('that was done already is refused, and says by which run', async () => {
    await fill();
    const purged = await it.run(purgeQueues, { all: true });
    const { undo: by } = await undo(purged.undo);
    await expect(undo(purged.undo)).rejects.toMatchObject({
      code: 'UNDO_DONE',
      message: expect.stringContaining(`${by}`),
    });
    expect(await undo(purged.undo, { force: true })).toMatchObject({ restored: 0, failedCount: 4 });
    await undo(by);
    expect(await undo(purged.undo)).toMatchObject({ restored: 4 });
  });

  test('leaves alone a job of the same id that is there, and says so', async () => {
    await fill();
    const purged = await it.run(purgeQueues, { all: true });
    await it.broker.queue('high').add(job('b', { args: ['new'] }));
    const reason = 'could not be restored: a job of this id is there';
    expect(await undo(purged.undo)).toMatchObject({
      ...{ matched: 4, restored: 3, failedCount: 1, reasons: { [reason]: 1 }, failed: [{ id: 'b', message: reason }] },
    });
    expect((await it.broker.queue('high').readJob('b'))?.args).toEqual(['new']);
  });

  test('of a purge of dead letters keeps their errors and attempts', async () => {
    await kill('x', 'y');
    const before = await all();
    expect(before.map(({ place }) => place)).toEqual(['dead', 'dead']);
    const purged = await it.run(purgeQueues, { queues: ['dead_letter'] });
    expect(purged.purged).toEqual({ dead_letter: 2 });
    expect(await all()).toEqual([]);
    expect(await undo(purged.undo)).toMatchObject({ restored: 2, failed: [] });
    expect(await all()).toEqual(before);
  });

  test('of a reprocessing makes dead letters of what has not run yet, and undoing that sends it back to work', async () => {
    await kill('x', 'y');
    const before = await all();
    const reprocessed = await it.run(reprocessDeadLetters, { all: true });
    expect(reprocessed.reprocessed).toBe(2);
    const { undo: id, ...undone } = await undo(reprocessed.undo);
    expect(undone).toMatchObject({ matched: 2, restored: 2, failed: [] });
    expect(await all()).toEqual(before);
    expect(await undo(id)).toMatchObject({ restored: 2, failed: [] });
    expect((await all()).map(({ place }) => place)).toEqual(['waiting', 'waiting']);
  });

  test('of a reprocessing leaves alone what has run since', async () => {
    await kill('x');
    const reprocessed = await it.run(reprocessDeadLetters, { all: true, patch: { to: 'new' } });
    const probe = await it.consume('high');
    await probe.taken.next();
    await probe.settled();
    await probe.stop();
    const undone = await undo(reprocessed.undo);
    expect(undone).toMatchObject({ restored: 0, failedCount: 1 });
    expect(undone.failed[0]?.message).toMatch(/^could not be restored: it has changed since: it has finished/);
  });

  test('of a move takes the jobs back, and of an edit their arguments', async () => {
    await fill();
    await it.broker.queue('low').add(job('z'));
    const before = await all();
    const moved = await it.run(moveJobs, { where: 'task:mail', queue: 'high', to: 'low' });
    expect((await it.broker.queue('low').counts()).waiting).toBe(4);
    const edited = await it.run(editJobs, { where: 'id:a', patch: { to: 'other' } });
    expect(edited).toMatchObject({ changed: 1 });
    expect(await undo(edited.undo)).toMatchObject({ restored: 1, failed: [] });
    expect(await undo(moved.undo)).toMatchObject({ restored: moved.changed, failed: [] });
    const byId = (records: { id: string }[]) => records.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect(byId(await all())).toEqual(byId(before));
  });

  test('of an edit leaves alone what was edited again', async () => {
    await fill();
    const edited = await it.run(editJobs, { ids: ['a', 'b'], patch: { to: 'first' } });
    await it.run(editJobs, { ids: ['a'], patch: { to: 'second' } });
    const reason = 'could not be restored: it has changed since: its arguments were edited';
    expect(await undo(edited.undo)).toMatchObject({ restored: 1, reasons: { [reason]: 1 } });
    expect((await it.broker.queue('high').readJob('a'))?.args).toEqual([{ to: 'second' }]);
    expect((await it.broker.queue('high').readJob('b'))?.args).toEqual([{ to: 'b' }]);
  });

  test('of an edit of dead letters, and of a promotion', async () => {
    await kill('x');
    await it.broker.queue('high').add(job('late', { delayMs: 3_600_000 }));
    const before = await all();
    const edited = await it.run(editDeadLetters, { all: true, patch: { to: 'other' } });
    const promoted = await it.run(promoteJobs, { ids: ['late'] });
    expect([edited.changed, promoted.changed]).toEqual([1, 1]);
    expect(await undo(edited.undo)).toMatchObject({ restored: 1, failed: [] });
    expect(await undo(promoted.undo)).toMatchObject({ restored: 1, failed: [] });
    expect(await all()).toEqual(before);
  });

  test('under a dry run shows what it would put back, by queue, and changes nothing', async () => {
    await fill();
    const purged = await it.run(purgeQueues, { all: true });
    await it.broker.queue('high').add(job('b'));
    const before = await all();
    const execution = await execute(undoOperation, { id: purged.undo }, { session: it.session, dryRun: true });
    expect(execution).toEqual({
      kind: 'planned',
      plan: {
        summary: `would put back 3 jobs of purge-queues ${purged.undo}; 1 could not be restored`,
        count: 3,
        rows: [{ queue: 'high', jobs: 3, left: 1 }],
      },
    });
    expect(await all()).toEqual(before);
  });

  test('that was stopped goes on when it is asked for again', async () => {
    await it.broker.queue('high').addBulk(Array.from({ length: 200 }, (_, index) => job(`j${index}`)));
    const before = await all();
    const purged = await it.run(purgeQueues, { all: true });
    const stopping = new AbortController();
    const options = { signal: stopping.signal, onProgress: () => stopping.abort() };
    const first = await it.run(undoOperation, { id: purged.undo }, options);
    expect(first.restored).toBeGreaterThan(0);
    expect(first.restored).toBeLessThan(200);
    const second = await undo(purged.undo);
    expect(second.restored + first.restored).toBe(200);
    expect((await all()).length).toBe(before.length);
  });

  test('of a bundle that was cut puts back what is there, and says that there may be more', async () => {
    await it.broker.queue('high').addBulk(Array.from({ length: 200 }, (_, index) => job(`j${index}`)));
    const purged = await it.run(purgeQueues, { all: true });
    const { path = '', bytes = 0 } = (await findBundle(it.undoDir, purged.undo ?? '')) ?? {};
    await truncate(path, Math.floor(bytes / 2));
    const undone = await undo(purged.undo);
    expect(undone).toMatchObject({ isCut: true, failed: [] });
    expect(undone.restored).toBeGreaterThan(0);
    expect((await it.broker.queue('high').counts()).waiting).toBe(undone.restored);
  });

  test('on another machine says where the bundle lies; of what nobody did it knows nothing', async () => {
    await fill();
    const purged = await it.run(purgeQueues, { all: true });
    const other = around(it, createUndoDir());
    const { host } = (await other.run(listUndo, {}))[0] ?? {};
    await expect(other.run(undoOperation, { id: purged.undo })).rejects.toMatchObject({
      ...{ code: 'UNDO_ELSEWHERE', message: expect.stringContaining(`was kept on ${host}, in ${it.undoDir}`) },
    });
    await expect(undo('mhy2k9x1-04af')).rejects.toMatchObject({ code: 'UNKNOWN_UNDO' });
  });

  test('on another broker is refused without force', async () => {
    await fill();
    const purged = await it.run(purgeQueues, { all: true });
    const other = await openUndoable(store, it.undoDir);
    try {
      const refused = other.run(undoOperation, { id: purged.undo });
      await expect(refused).rejects.toMatchObject({ code: 'UNDO_OTHER_BROKER' });
      expect(await other.run(listUndo, {})).toEqual([]);
      expect(await other.run(undoOperation, { id: purged.undo, force: true })).toMatchObject({ restored: 4 });
    } finally {
      await other.close();
    }
  });

  test('is listed with what can be undone, the last first, and so is what it undid', async () => {
    await fill();
    const purged = await it.run(purgeQueues, { all: true });
    const undone = await undo(purged.undo);
    const rows = await it.run(listUndo, {});
    expect(rows.map(({ id, command, jobs, here, undoneBy }) => ({ id, command, jobs, here, undoneBy }))).toEqual([
      { id: undone.undo, command: `tq undo ${purged.undo} --yes`, jobs: 4, here: true, undoneBy: null },
      { id: purged.undo, command: 'tq purge --all --yes', jobs: 4, here: true, undoneBy: undone.undo },
    ]);
    expect(await new AuditLog(it.broker.state).read(purged.undo ?? '')).toMatchObject({
      ...{ operation: 'purge-queues', user: 'ada', host: 'box', end: 'done', planned: 4, changed: 4 },
      ...{ undoneBy: undone.undo, bundle: { records: 4 } },
    });
  });
});
