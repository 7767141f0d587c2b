import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBroker } from '../../../src/engine/broker/open-broker.ts';
import type { Broker } from '../../../src/engine/broker/port.ts';
import {
  type HeldName,
  type NameHolder,
  type NameRequest,
  takeWorkerName,
} from '../../../src/engine/control/worker-name.ts';
import { isKnownDead, readOwnPlace } from '../../../src/engine/control/worker-place.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';
import { createSqliteUrl } from '../../support/brokers.ts';
import { createChannel } from '../broker/channel.ts';

let broker: Broker;
const held: HeldName[] = [];

beforeEach(async () => {
  broker = await openBroker(createSqliteUrl(), { clock: systemClock });
});
afterEach(async () => {
  for (const name of held.splice(0)) await name.release();
  await broker.close();
});

/** A machine that is not this one: what runs there cannot be seen from here. */
const ELSEWHERE = { host: 'elsewhere', pid: 1, space: 'another boot' };

let nodes = 0;

async function take(template: string, given: Partial<NameRequest> = {}): Promise<HeldName> {
  nodes += 1;
  const name = await takeWorkerName({
    nodeId: `worker-${nodes}`,
    template,
    state: broker.state,
    clock: systemClock,
    onLost: () => undefined,
    leaseMs: 800,
    renewMs: 100,
    ...given,
  });
  held.push(name);
  return name;
}

/** A holder that died: its lease is there, and nobody renews it. */
const leaveBehind = (name: string, holder: Partial<NameHolder> | string, leaseMs = 300): Promise<unknown> =>
  broker.state.lease(
    `worker/name/${name}`,
    typeof holder === 'string' ? holder : JSON.stringify({ nodeId: 'worker-dead', since: 5, ...holder }),
    leaseMs,
  );

/** The id of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '0']);
  await once(child, 'exit');
  return child.pid as number;
}

test('a free name is taken, and free again when it is released', async () => {
  const first = await take('tq@%h');
  expect(first.name).toBe(`tq@${readOwnPlace().host}`);
  await first.release();
  expect((await take('tq@%h')).name).toBe(first.name);
});

test('a name that a live worker has is refused, with who has it and what to do', async () => {
  await take('tq', { place: ELSEWHERE });
  await expect(take('tq')).rejects.toMatchObject({
    code: 'WORKER_NAME_TAKEN',
    message: expect.stringMatching(/^the name "tq" is taken by a live worker: process 1 on elsewhere, since 20\d\d-/),
    next: expect.stringContaining('%n'),
  });
});

test('a second worker of the same process is refused too', async () => {
  await take('tq');
  await expect(take('tq')).rejects.toMatchObject({ code: 'WORKER_NAME_TAKEN' });
});

test('of several workers that start at once with one name, one gets it', async () => {
  const started = await Promise.allSettled([take('tq'), take('tq'), take('tq')]);
  expect(started.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
});

test('a holder of this machine whose process has ended gives way at once', async () => {
  // The lease is longer than the test may take.
  await leaveBehind('tq', { ...readOwnPlace(), pid: await deadPid() }, 600_000);
  expect((await take('tq')).name).toBe('tq');
});

test('a holder elsewhere that does not renew gives way when its lease ends', async () => {
  await leaveBehind('tq', ELSEWHERE);
  expect((await take('tq')).name).toBe('tq');
});

test('a lease of a holder that cannot be read is waited out as well', async () => {
  await leaveBehind('tq', 'not one of ours');
  expect((await take('tq')).name).toBe('tq');
});

test('a number makes a name unique: the first that is free', async () => {
  const names = [await take('tq%n'), await take('tq%n'), await take('tq%n')];
  expect(names.map(({ name }) => name)).toEqual(['tq1', 'tq2', 'tq3']);
  await names[1]?.release();
  expect((await take('tq%n')).name).toBe('tq2');
});

test('a number whose holder is dead is free', async () => {
  await leaveBehind('tq1', { ...readOwnPlace(), pid: await deadPid() }, 600_000);
  expect((await take('tq%n')).name).toBe('tq1');
});

test('a worker that has lost its name says so once, and goes on', async () => {
  const lost = createChannel<NameHolder>();
  const first = await take('tq', { onLost: (holder) => lost.push(holder) });
  const [entry] = await Promise.all([broker.state.lease('worker/name/tq', 'nobody', 1)]);
  await broker.state.release('worker/name/tq', entry.holder);
  await leaveBehind('tq', ELSEWHERE, 600_000);
  expect(await lost.next()).toMatchObject({ host: 'elsewhere', pid: 1 });
  await first.release();
  expect(lost.all).toHaveLength(1);
  expect((await broker.state.lease('worker/name/tq', 'nobody', 1)).holder).toContain('elsewhere');
});

test('a process is known to have ended only where it can be seen', async () => {
  const own = readOwnPlace();
  const pid = await deadPid();
  expect(isKnownDead({ ...own, pid })).toBe(own.space !== null);
  expect(isKnownDead(own)).toBe(false);
  expect(isKnownDead({ ...own, pid: 1 })).toBe(false);
  expect(isKnownDead({ ...own, pid, space: 'another container' })).toBe(false);
  expect(isKnownDead({ ...own, pid, host: 'another host' })).toBe(false);
  expect(isKnownDead({ ...own, pid, space: null }, { ...own, space: null })).toBe(false);
});
