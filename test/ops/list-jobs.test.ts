import { describe, expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { listJobs } from '../../src/ops/list-jobs.ts';
import type { InputOf } from '../../src/ops/operation.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

async function list(fake: FakeBroker, input: Partial<InputOf<typeof listJobs>> = {}) {
  const execution = await execute(listJobs, { limit: 100, ...input }, { session: createFakeSession(fake) });
  if (execution.kind !== 'done') throw new Error('it was planned');
  return execution.result;
}

const idsOf = ({ jobs }: { readonly jobs: readonly { readonly id: string }[] }) => jobs.map(({ id }) => id);

/** Two queues whose jobs came by turns. */
const createBroker = () =>
  new FakeBroker()
    .store('a', ...[1, 3, 5].map((at) => ({ id: `a${at}`, createdAt: NOW - 1000 + at })), {
      id: 'ended',
      state: 'SUCCESS',
      createdAt: NOW - 5000,
      startedAt: NOW - 4000,
      finishedAt: NOW - 996,
    } as const)
    .store('b', ...[2, 6].map((at) => ({ id: `b${at}`, createdAt: NOW - 1000 + at, task: 'image.resize' })));

describe('the newest first', () => {
  test('over all queues and places: the ended ones by their end, the others by when they were added', async () => {
    expect(idsOf(await list(createBroker()))).toEqual(['b6', 'a5', 'ended', 'a3', 'b2', 'a1']);
  });

  test('ends with the limit, and says that it was reached', async () => {
    const cut = await list(createBroker(), { limit: 2 });
    expect(idsOf(cut)).toEqual(['b6', 'a5']);
    expect(cut.isFull).toBe(true);
    expect((await list(createBroker())).isFull).toBe(false);
  });

  test('reads no further than it needs', async () => {
    const fake = new FakeBroker();
    const many = Array.from({ length: 1000 }, (_, at) => ({ id: `${at}`, createdAt: NOW - 1_000_000 + at }));
    fake.store('old', ...many).store('new', ...many.map(({ id }) => ({ id: `n${id}`, createdAt: NOW })));
    let read = 0;
    for (const { bulk } of fake.queues.values()) {
      const scan = bulk.scanSummaries.bind(bulk);
      bulk.scanSummaries = async function* (given) {
        for await (const page of scan(given)) {
          read += page.length;
          yield page;
        }
      };
    }
    expect(idsOf(await list(fake, { limit: 60 }))).toEqual(Array.from({ length: 60 }, (_, at) => `n${999 - at}`));
    expect(read).toBe(120);
  });

  test('with a query, of named queues', async () => {
    expect(idsOf(await list(createBroker(), { where: 'task:image.*' }))).toEqual(['b6', 'b2']);
    expect(idsOf(await list(createBroker(), { queues: ['a'], where: 'state:waiting' }))).toEqual(['a5', 'a3', 'a1']);
    await expect(list(createBroker(), { queues: ['c'] })).rejects.toMatchObject({ code: 'UNKNOWN_QUEUE' });
  });
});

describe('sorted', () => {
  test('by a field, least first or greatest first; what has no such value comes last', async () => {
    expect(idsOf(await list(createBroker(), { sort: 'created', limit: 3 }))).toEqual(['ended', 'a1', 'b2']);
    expect(idsOf(await list(createBroker(), { sort: '-created', limit: 3 }))).toEqual(['b6', 'a5', 'a3']);
    expect(idsOf(await list(createBroker(), { sort: '-duration', limit: 1 }))).toEqual(['ended']);
    expect(idsOf(await list(createBroker(), { sort: 'finished', limit: 1 }))).toEqual(['ended']);
  });

  test('keeps the right ones of many more than the limit', async () => {
    const jobs = Array.from({ length: 700 }, (_, at) => ({ id: `j${at}`, createdAt: NOW - ((at * 331) % 700) }));
    const sorted = jobs.toSorted((x, y) => x.createdAt - y.createdAt).map(({ id }) => id);
    const fake = new FakeBroker().store('q', ...jobs);
    expect(idsOf(await list(fake, { sort: 'created', limit: 7 }))).toEqual(sorted.slice(0, 7));
    expect(idsOf(await list(fake, { sort: '-created', limit: 7 }))).toEqual(sorted.toReversed().slice(0, 7));
  });

  test('by what jobs do not have is refused', async () => {
    await expect(list(createBroker(), { sort: 'name' })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });
});

test('a job that is deleted while it is listed is left out', async () => {
  const fake = createBroker();
  const { bulk } = fake.queue('a');
  const readJobs = bulk.readJobs.bind(bulk);
  bulk.readJobs = (ids) => {
    fake.queue('a').jobs.delete('a3');
    return readJobs(ids);
  };
  expect(idsOf(await list(fake, { queues: ['a'] }))).toEqual(['a5', 'ended', 'a1']);
});

test('a job has all fields, those that are absent as null', async () => {
  const meta = { requestId: 'r', workflow: { id: 'w', node: 1 } };
  const fake = new FakeBroker().store('a', { id: 'x', args: [1], meta, createdAt: NOW });
  expect((await list(fake)).jobs).toEqual([
    {
      ...{ id: 'x', task: 'email.send', queue: 'a', state: 'PENDING', args: [1], priority: null, attempts: 0 },
      ...{ createdAt: NOW, dueAt: null, startedAt: null, finishedAt: null, worker: null, progress: null },
      ...{ error: null, reason: null, requestId: 'r', parentId: null, rootId: null, workflowId: 'w' },
    },
  ]);
});

test('nothing is changed by it, and the command line does the same', async () => {
  const fake = createBroker();
  await list(fake, { where: 'args.0.to:x', sort: 'due' });
  expect(fake.changes).toEqual([]);
  expect(listJobs.commandLine({ limit: 5, where: 'a:b', queues: ['x', 'y'], sort: '-due' })).toEqual([
    ...['jobs', 'list', '--where', 'a:b', '-Q', 'x,y', '--sort=-due', '--limit', '5'],
  ]);
});
