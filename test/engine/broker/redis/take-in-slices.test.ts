import { expect, test } from 'vitest';
import { JOBS_PER_CALL, type TakeCall, takeInSlices } from '../../../../src/engine/broker/redis/bulk/bulk-script.ts';
import type { RedisClient } from '../../../../src/engine/broker/redis/redis-client.ts';

const ids = Array.from({ length: 4 * JOBS_PER_CALL }, (_, index) => `job-${index}`);

/** A list of which a call sees the ends, or what is near a place. */
function createList(at: number | null): {
  client: RedisClient;
  calls: [count: number, near: string][];
  take: TakeCall;
} {
  const calls: [number, string][] = [];
  return {
    client: { lpos: async () => at } as unknown as RedisClient,
    calls,
    async take(some, near) {
      calls.push([some.length, near]);
      return at === null || near !== '' ? [[...some], []] : [[], [...some]];
    },
  };
}

test('a page at an end of the list is taken in short calls, so that what others ask comes in between', async () => {
  const { client, calls, take } = createList(null);
  expect(await takeInSlices(client, 'bull:mail', ids, take)).toEqual(ids);
  expect(calls).toEqual(Array.from({ length: 4 }, () => [JOBS_PER_CALL, '']));
});

test('one that stands deep in the list is walked to once, and taken in one call from there', async () => {
  const { client, calls, take } = createList(500_000);
  expect(await takeInSlices(client, 'bull:mail', ids, take)).toEqual(ids);
  expect(calls).toEqual([
    [JOBS_PER_CALL, ''],
    [JOBS_PER_CALL, '500000'],
    [3 * JOBS_PER_CALL, '500000'],
  ]);
});

test('no jobs cost no call', async () => {
  const { client, calls, take } = createList(null);
  expect(await takeInSlices(client, 'bull:mail', [], take)).toEqual([]);
  expect(calls).toEqual([]);
});
