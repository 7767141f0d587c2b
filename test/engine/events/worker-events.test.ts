import { afterEach, expect, test } from 'vitest';
import type { ControlBus, ControlNode } from '../../../src/engine/broker/control-port.ts';
import type { Event } from '../../../src/engine/events/event.ts';
import { watchWorkers } from '../../../src/engine/events/worker-events.ts';

const clock = { now: () => 9000, monotonic: () => 0 };
const node = (id: string, since: number, name = id): ControlNode => ({ id, name, host: 'box', pid: 7, since });

let ending = new AbortController();
afterEach(() => {
  ending.abort();
  ending = new AbortController();
});

/** What is told of each of these lists in turn; an Error stands for one that cannot be read. */
async function watch(lists: readonly (readonly ControlNode[] | Error)[], since?: number) {
  const left = [...lists];
  const listNodes = async (): Promise<ControlNode[]> => {
    const list = left.shift() ?? [];
    if (list instanceof Error) throw list;
    return [...list];
  };
  const watched = watchWorkers({ listNodes } as unknown as ControlBus, clock, {
    signal: ending.signal,
    ...(since !== undefined && { since }),
  });
  const told: string[][] = [];
  for (const list of lists) {
    if (list instanceof Error) continue;
    const { value } = await watched.next();
    told.push(((value ?? []) as readonly Event[]).map(({ type, worker, at }) => `${type} ${worker} ${at}`));
  }
  return told;
}

test('workers that are live at the beginning are not told, unless they came after it', async () => {
  expect(await watch([[node('a', 100), node('b', 200)]])).toEqual([[]]);
  expect(await watch([[node('a', 100), node('b', 200)]], 150)).toEqual([['worker-online b 200']]);
});

test('a list that cannot be read tells nothing, and the next one what has changed', async () => {
  const told = await watch([[node('a', 100)], new Error('away'), [node('b', 300)]]);
  expect(told).toEqual([[], ['worker-offline a 9000', 'worker-online b 300']]);
});

test('a worker that died and came back under its name is told as both', async () => {
  const told = await watch([[node('1', 100, 'w')], [node('2', 300, 'w')]]);
  expect(told).toEqual([[], ['worker-offline w 9000', 'worker-online w 300']]);
});

test('a list that does not come holds up no end', async () => {
  const control = { listNodes: () => new Promise(() => {}) } as unknown as ControlBus;
  const watched = watchWorkers(control, clock, { signal: ending.signal });
  const next = watched.next();
  ending.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});
