import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HELD_MS, splitFlow } from '../../../src/engine/broker/flow-batches.ts';
import type { FlowJob } from '../../../src/engine/broker/port.ts';
import type { NewJob } from '../../../src/engine/core/job.ts';

const SIZE = 4;

/** @param parents for each job the place of its parent before it, -1 for none, -2 for one that is not of the flow */
function createFlow(parents: readonly number[], fields: Partial<NewJob> = {}): FlowJob[] {
  return parents.map((parent, place) => ({
    queue: 'q',
    hasChildren: parents.includes(place),
    job: {
      id: `${place}`,
      task: 'work',
      args: [],
      meta: {},
      createdAt: 1000,
      ...(parent !== -1 && { parent: { queue: 'q', id: parent === -2 ? 'outside' : `${parent}`, onDead: 'wait' } }),
      ...fields,
    },
  }));
}

/** Trees of any shape, some of them below a job that is not of the flow. */
const shapes = fc
  .array(fc.nat(), { minLength: 1, maxLength: 40 })
  .map((seeds) => seeds.map((seed, place) => (seed % (place + 2)) - 2));

describe('a flow that is split', () => {
  test('is left alone when it fits into one transaction', () => {
    const flow = createFlow([-1, 0, 0, 0]);
    expect(splitFlow(flow, SIZE)).toEqual({ batches: [flow], held: [] });
  });

  test('has each job once, and parents before their children', () => {
    fc.assert(
      fc.property(shapes, (parents) => {
        const flow = createFlow(parents);
        const placed = splitFlow(flow, SIZE).batches.flat();
        expect(placed.map(({ job }) => job.id).sort()).toEqual(flow.map(({ job }) => job.id).sort());
        const place = new Map(placed.map(({ job }, index) => [job.id, index]));
        for (const { job } of flow) {
          if (job.parent === undefined || job.parent.id === 'outside') continue;
          expect(place.get(job.parent.id)).toBeLessThan(place.get(job.id) ?? -1);
        }
      }),
    );
  });

  test('lets no parent go before its last batch, though all that is added ends at once', () => {
    fc.assert(
      fc.property(shapes, (parents) => {
        const flow = createFlow(parents);
        const { batches, held } = splitFlow(flow, SIZE);
        const isHeld = new Set(held.map(({ id }) => id));
        const children = Map.groupBy(flow, ({ job }) => job.parent?.id);
        const added = new Set<string>();
        const hasEnded = (id: string): boolean =>
          added.has(id) && !isHeld.has(id) && childrenIn(id).every((child) => hasEnded(child.job.id));
        const childrenIn = (id: string): FlowJob[] => (children.get(id) ?? []).filter(({ job }) => added.has(job.id));
        for (const batch of batches) {
          for (const { job } of batch) added.add(job.id);
          for (const [id, all] of children) {
            const some = id === undefined ? [] : childrenIn(id);
            if (some.length === 0 || some.length === all.length) continue;
            expect(some.some(({ job }) => !hasEnded(job.id))).toBe(true);
          }
        }
      }),
    );
  });

  test('holds few jobs: the last of a flat group alone, which is due far later', () => {
    const { batches, held } = splitFlow(createFlow([-1, ...Array.from({ length: 20 }, () => 0)]), SIZE);
    expect(held).toEqual([{ queue: 'q', id: '20', dueAt: undefined }]);
    const all = batches.flat();
    expect(all.filter(({ job }) => job.delayMs !== undefined).map(({ job }) => [job.id, job.delayMs])).toEqual([
      ['20', HELD_MS],
    ]);
    expect(batches[0]?.map(({ job }) => job.id)).toEqual(['0', '20', '1', '2', '3']);
    expect(all.map(({ job }) => job.id)).toHaveLength(21);
  });

  test('gives a held job its own delay back', () => {
    const { held } = splitFlow(createFlow([-1, 0, 0, 0, 0, 0], { delayMs: 500 }), SIZE);
    expect(held).toEqual([{ queue: 'q', id: '5', dueAt: 1500 }]);
    const late = splitFlow(createFlow([-1, 0, 0, 0, 0, 0], { delayMs: 2 * HELD_MS }), SIZE);
    expect(late.batches.flat().find(({ job }) => job.id === '5')?.job.delayMs).toBe(2 * HELD_MS);
  });

  test('holds one job below a parent that is not of the flow, and none of those that hang on nothing', () => {
    expect(splitFlow(createFlow([-2, -2, -2, -2, -2, -2]), SIZE).held.map(({ id }) => id)).toEqual(['5']);
    expect(splitFlow(createFlow([-1, -1, -1, -1, -1, -1]), SIZE).held).toEqual([]);
  });
});
