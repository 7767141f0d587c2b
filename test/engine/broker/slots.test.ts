import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { QueueOrder } from '../../../src/engine/broker/port.ts';
import { createSlots, type Slots } from '../../../src/engine/broker/slots.ts';

const NEVER = new AbortController().signal;

function queuesOf(weights: Readonly<Record<string, number>>): { name: string; weight: number }[] {
  return Object.entries(weights).map(([name, weight]) => ({ name, weight }));
}

/** One slot, every queue always in line: who is served, in turn. */
async function serve(order: QueueOrder, weights: Readonly<Record<string, number>>, turns: number): Promise<string[]> {
  const slots = createSlots(1, order, queuesOf(weights));
  const served: string[] = [];
  const first = Object.keys(weights)[0] as string;
  expect(slots.tryTake(first)).toBe(true);
  let holder = first;
  const standInLine = (queue: string): void => {
    void slots.take(queue, NEVER).then(() => served.push(queue));
  };
  for (const queue of Object.keys(weights)) if (queue !== first) standInLine(queue);
  while (served.length < turns) {
    standInLine(holder);
    slots.release(holder);
    await Promise.resolve();
    await Promise.resolve();
    holder = served.at(-1) as string;
  }
  return served;
}

describe('the slots of a worker', () => {
  test('are as many as were asked for', () => {
    const slots = createSlots(2, 'strict', queuesOf({ a: 1, b: 1 }));
    expect([slots.tryTake('a'), slots.tryTake('b'), slots.tryTake('a')]).toEqual([true, true, false]);
    expect(slots.free).toBe(0);
    slots.release('b');
    expect([slots.free, slots.tryTake('a'), slots.free]).toEqual([1, true, 0]);
  });

  test('become more: who waits is served', async () => {
    const slots = createSlots(1, 'strict', queuesOf({ a: 1, b: 1 }));
    expect(slots.tryTake('a')).toBe(true);
    const waiting = slots.take('b', NEVER);
    slots.resize(3);
    expect(await waiting).toBe(true);
    expect([slots.free, slots.tryTake('a'), slots.tryTake('a')]).toEqual([1, true, false]);
  });

  test('become fewer: those that are taken are given back, and none is taken until there are enough', () => {
    const slots = createSlots(3, 'strict', queuesOf({ a: 1, b: 1 }));
    for (let slot = 0; slot < 3; slot += 1) slots.tryTake('a');
    slots.resize(1);
    expect([slots.free, slots.mustYield('a'), slots.tryTake('a')]).toEqual([-2, true, false]);
    slots.release('a');
    slots.release('a');
    expect([slots.free, slots.mustYield('a'), slots.tryTake('a')]).toEqual([0, false, false]);
    slots.release('a');
    expect([slots.free, slots.tryTake('b')]).toEqual([1, true]);
  });

  test.each<[QueueOrder, Record<string, number>, string]>([
    ['strict', { high: 1, mid: 1, low: 1 }, 'high high high high high high'],
    ['fair', { a: 100, b: 1, c: 1 }, 'b c a b c a'],
    ['weighted', { a: 3, b: 1 }, 'b a a a b a a a b a a a'],
    ['weighted', { a: 1, b: 1 }, 'b a b a b a'],
  ])('%s over %o serve %s', async (order, weights, expected) => {
    const turns = expected.split(' ').length;
    const served = await serve(order, weights, turns);
    if (order === 'strict') {
      // The first queue held the slot; it stands in line again and goes first every time.
      expect(served.join(' ')).toBe(expected);
    } else {
      const count = (list: readonly string[], queue: string): number => list.filter((name) => name === queue).length;
      for (const queue of Object.keys(weights)) {
        expect(Math.abs(count(served, queue) - count(expected.split(' '), queue))).toBeLessThanOrEqual(1);
      }
    }
  });

  test('weighted shares follow the weights over many starts', async () => {
    const served = await serve('weighted', { a: 5, b: 3, c: 2 }, 1000);
    const shares = ['a', 'b', 'c'].map((queue) => served.filter((name) => name === queue).length);
    for (const [index, expected] of [500, 300, 200].entries()) {
      expect(Math.abs((shares[index] ?? 0) - expected)).toBeLessThanOrEqual(3);
    }
  });

  test('a queue may not take a free slot over one that goes first and waits', () => {
    const slots = createSlots(1, 'strict', queuesOf({ high: 1, low: 1 }));
    expect(slots.tryTake('low')).toBe(true);
    void slots.take('high', NEVER);
    expect(slots.mustYield('low')).toBe(true);
    expect(slots.mustYield('high')).toBe(false);
    slots.release('low');
    expect(slots.free).toBe(0);
    expect(slots.tryTake('low')).toBe(false);
  });

  test('without anybody in line nobody must yield', () => {
    const slots = createSlots(1, 'fair', queuesOf({ a: 1, b: 1 }));
    slots.tryTake('a');
    expect(slots.mustYield('a')).toBe(false);
  });

  test('a wait that is aborted takes no slot and leaves the line', async () => {
    const slots = createSlots(1, 'strict', queuesOf({ a: 1, b: 1 }));
    slots.tryTake('a');
    const stopping = new AbortController();
    const waiting = slots.take('b', stopping.signal);
    stopping.abort();
    expect(await waiting).toBe(false);
    expect(await slots.take('b', stopping.signal)).toBe(false);
    expect(slots.mustYield('a')).toBe(false);
    slots.release('a');
    expect(slots.free).toBe(1);
  });

  test('a start that found no job is not counted against its queue', async () => {
    const slots = createSlots(1, 'fair', queuesOf({ a: 1, b: 1 }));
    for (let looks = 0; looks < 5; looks += 1) {
      slots.tryTake('b');
      slots.release('b', true);
    }
    slots.tryTake('a');
    const order: string[] = [];
    void slots.take('a', NEVER).then(() => order.push('a'));
    void slots.take('b', NEVER).then(() => order.push('b'));
    slots.release('a');
    await Promise.resolve();
    await Promise.resolve();
    expect(order).toEqual(['b']);
  });

  test('a queue that was idle for long gets no credit for it', async () => {
    const slots = createSlots(1, 'fair', queuesOf({ busy: 1, idle: 1 }));
    slots.tryTake('busy');
    for (let start = 0; start < 100; start += 1) slots.continueWith('busy');
    const served: string[] = [];
    const run = async (turns: number): Promise<void> => {
      let holder = 'busy';
      const standInLine = (queue: string): void => {
        void slots.take(queue, NEVER).then(() => served.push(queue));
      };
      standInLine('idle');
      while (served.length < turns) {
        standInLine(holder);
        slots.release(holder);
        await Promise.resolve();
        await Promise.resolve();
        holder = served.at(-1) as string;
      }
    };
    await run(20);
    const idle = served.filter((queue) => queue === 'idle').length;
    expect(idle).toBeGreaterThanOrEqual(9);
    expect(idle).toBeLessThanOrEqual(11);
  });

  test('whatever happens, no more are used than there are, and no wait is forgotten', async () => {
    const names = ['a', 'b', 'c'];
    const step = fc.record({
      queue: fc.constantFrom(...names),
      what: fc.constantFrom('try', 'take', 'release', 'next', 'abort'),
    });
    const orders = fc.constantFrom<QueueOrder[]>('strict', 'weighted', 'fair');
    const weights = fc.record({
      a: fc.integer({ min: 1, max: 9 }),
      b: fc.integer({ min: 1, max: 9 }),
      c: fc.constant(1),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        orders,
        weights,
        fc.array(step, { maxLength: 60 }),
        async (total, order, shares, steps) => {
          const slots: Slots = createSlots(total, order, queuesOf(shares));
          const held: string[] = [];
          let waiting: AbortController[] = [];
          for (const { queue, what } of steps) {
            if (what === 'try' && slots.tryTake(queue)) held.push(queue);
            if (what === 'take') {
              const abort = new AbortController();
              waiting.push(abort);
              void slots.take(queue, abort.signal).then((granted) => {
                waiting = waiting.filter((other) => other !== abort);
                if (granted) held.push(queue);
              });
            }
            if (what === 'abort') waiting[0]?.abort();
            if (what === 'next' && held.includes(queue)) slots.continueWith(queue);
            const [first] = held;
            if (what === 'release' && first !== undefined) slots.release(held.shift() as string);
            await Promise.resolve();
            await Promise.resolve();
            expect(held.length + slots.free).toBe(total);
            // A free slot and a wait never stand side by side.
            expect(slots.free === 0 || waiting.length === 0).toBe(true);
          }
          while (held.length > 0 || waiting.length > 0) {
            slots.release(held.shift() as string);
            await Promise.resolve();
            await Promise.resolve();
          }
          expect(slots.free).toBe(total);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('fair starves no queue, however many stand in line', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 8 }), async (count) => {
        const weights = Object.fromEntries(Array.from({ length: count }, (_, index) => [`q${index}`, 1 + index * 10]));
        const served = await serve('fair', weights, count * 10);
        for (const queue of Object.keys(weights)) {
          expect(served.slice(0, 2 * count)).toContain(queue);
          expect(Math.abs(served.filter((name) => name === queue).length - 10)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

describe('the slots of a worker whose queues change', () => {
  test('are taken by jobs that run already, also by more than there are', () => {
    const slots = createSlots(2, 'strict', queuesOf({ a: 1, b: 1 }));
    slots.occupy(3);
    expect([slots.free, slots.tryTake('b')]).toEqual([-1, false]);
    slots.release('a');
    slots.release('a');
    expect([slots.free, slots.tryTake('b')]).toEqual([1, true]);
  });

  test('strict: a queue that is added stands last, also one that comes back', async () => {
    const slots = createSlots(1, 'strict', queuesOf({ a: 1, b: 1 }));
    slots.add({ name: 'c', weight: 1 });
    slots.remove('a');
    slots.add({ name: 'a', weight: 1 });
    slots.occupy(1);
    const served: string[] = [];
    for (const queue of ['a', 'b', 'c']) void slots.take(queue, NEVER).then(() => served.push(queue));
    for (let turn = 0; turn < 3; turn += 1) {
      slots.release('b');
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(served).toEqual(['b', 'c', 'a']);
  });

  test.each(['weighted', 'fair'] as const)('%s: a queue that is added gets no credit for before', async (order) => {
    const slots = createSlots(1, order, queuesOf({ a: 1 }));
    for (let turn = 0; turn < 50; turn += 1) {
      expect(slots.tryTake('a')).toBe(true);
      slots.release('a');
    }
    slots.add({ name: 'b', weight: 1 });
    expect(slots.tryTake('b')).toBe(true);
    const served: string[] = [];
    const standInLine = (queue: string): void => void slots.take(queue, NEVER).then(() => served.push(queue));
    standInLine('a');
    standInLine('b');
    for (let holder = 'b'; served.length < 6; holder = served.at(-1) as string) {
      slots.release(holder);
      await Promise.resolve();
      await Promise.resolve();
      standInLine(served.at(-1) as string);
    }
    expect(served.filter((name) => name === 'b')).toHaveLength(3);
  });
});
