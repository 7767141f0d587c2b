import { pino } from 'pino';
import { expect, test } from 'vitest';
import { judgeBeatHealth } from '../../src/cli/beat-health.ts';
import { startWorkerBeat } from '../../src/cli/worker-beat.ts';
import type { BeatState } from '../../src/engine/beat/beat.ts';
import { createError } from '../../src/engine/core/errors.ts';

const NOW = 1_800_000_000_000;
const STATE: BeatState = {
  ...{ id: 'x', name: 'beat@a', host: 'a', pid: 1, version: '1.0.0', startedAt: NOW - 90_000 },
  ...{ isLeader: true, since: NOW - 80_000, entries: 3, lastTickAt: NOW - 900, overdue: 0 },
  ...{ phase: 'running', leader: 'beat@a' },
};

test.each([
  ['leads', {}, { live: true, ready: true, problems: [] }],
  ['stands by', { isLeader: false, leader: 'beat@b', lastTickAt: null }, { live: true, ready: true }],
  ['starts', { phase: 'starting', leader: null }, { live: true, ready: false, problems: ['the beat is starting'] }],
  ['stops', { phase: 'stopping' }, { live: true, ready: false }],
  ['has lost its broker', { isLeader: false, leader: null }, { live: true, ready: false }],
  ['has stopped looking', { lastTickAt: NOW - 31_000 }, { live: false, ready: false }],
  ['has led for a moment', { lastTickAt: null, since: NOW - 100 }, { live: true, ready: true }],
  ['led before, and leads again', { lastTickAt: NOW - 60_000, since: NOW - 100 }, { live: true, ready: true }],
  ['has firings that nobody starts', { overdue: 2 }, { live: true, ready: true, overdue: 2 }],
] as const)('a beat that %s', (_, changes, expected) => {
  expect(judgeBeatHealth({ ...STATE, ...changes } as BeatState, NOW)).toMatchObject(expected);
});

const SETTINGS = {
  ...{ name: 'beat@%h', take: undefined, logfile: undefined },
  ...{ healthPort: undefined, healthHost: undefined, pidfile: undefined },
};

test('the beat of a worker is tried again while the broker is away, and has the name of the worker', async () => {
  const started = Promise.withResolvers<void>();
  const asked: unknown[] = [];
  const beat = {
    async start() {
      if (asked.push('start') > 3) return started.resolve();
      throw createError('BROKER_UNAVAILABLE', { url: 'redis://x', doing: 'reading', reason: 'gone', causes: 'wait' });
    },
    async stop() {
      asked.push('stop');
    },
  };
  const createBeat = async (options: unknown) => {
    asked.push(options);
    return beat;
  };
  const worker = { name: '50%@box' };
  const log = pino({ enabled: false });
  const running = startWorkerBeat({ createBeat } as never, { worker, settings: SETTINGS, log, againMs: 1 });
  await started.promise;
  await running.stop();
  expect(asked).toMatchObject([{ name: '50%%@box' }, 'start', 'start', 'start', 'stop', 'stop']);
});

test('a worker that stops while its beat is tried again does not wait for it', async () => {
  const failed = Promise.withResolvers<void>();
  const createBeat = async (): Promise<never> => {
    failed.resolve();
    throw createError('BROKER_UNAVAILABLE', { url: 'redis://x', doing: 'reading', reason: 'gone', causes: 'wait' });
  };
  const log = pino({ enabled: false });
  const running = startWorkerBeat(
    { createBeat },
    { worker: { name: 'tq@a' }, settings: SETTINGS, log, againMs: 10 ** 9 },
  );
  await failed.promise;
  await running.stop();
});
