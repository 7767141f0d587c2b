import { expect, test } from 'vitest';
import { type ChainFacts, judgeChain } from '../../../src/engine/beat/chain-judgement.ts';
import type { SchedulerState } from '../../../src/engine/broker/schedule-port.ts';
import type { EntryDefinition, ScheduleEntry } from '../../../src/engine/core/schedule/entry.ts';
import { defined } from './setup.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.parse('2026-03-01T12:30Z');
const BEFORE = Date.parse('2026-03-01T12:00Z');
const NEXT = Date.parse('2026-03-01T13:00Z');
const HOURLY = defined({ every: '1h' });

function entryOf(definition: EntryDefinition = HOURLY, change: Partial<ScheduleEntry> = {}): ScheduleEntry {
  const facts = {
    isPaused: false,
    source: 'operator',
    app: null,
    declared: null,
    runsBefore: 0,
    createdAt: 0,
    changedAt: 0,
  } as const;
  return { name: 'hourly', definition, ...facts, version: '1', ...change };
}

function stateOf(change: Partial<SchedulerState> = {}, { schedule, missed, overlap, task } = HOURLY): SchedulerState {
  const rule = { schedule, missed, overlap };
  return { id: 'hourly', dueAt: NEXT, ahead: 'scheduled', made: 3, runsBefore: 0, rule, task, text: null, ...change };
}

const verdict = (facts: Partial<ChainFacts>) =>
  judgeChain({
    entry: entryOf(),
    state: stateOf(),
    now: NOW,
    wasThere: false,
    isVerified: false,
    isSettled: true,
    ...facts,
  });

test('a firing that is ahead and not due is waited for', () => {
  expect(verdict({})).toEqual({ kind: 'ahead', dueAt: NEXT });
});

test('an entry without a scheduler is armed if it fires again, when whoever is changing it had the time to do it', () => {
  expect(verdict({ state: undefined })).toEqual({ kind: 'arm', why: 'it had no job scheduler' });
  expect(verdict({ state: undefined, isSettled: false })).toEqual({ kind: 'unsettled' });
  expect(verdict({ state: undefined, entry: entryOf(defined({ at: '2026-03-01T12:00Z' })) })).toEqual({ kind: 'rest' });
  const spent = entryOf(defined({ every: '1h', maxRuns: 3 }), { runsBefore: 3 });
  expect(verdict({ state: undefined, entry: spent })).toEqual({ kind: 'rest' });
});

test('a paused entry has no scheduler, but one of plain BullMQ stays', () => {
  const entry = entryOf(HOURLY, { isPaused: true });
  expect(verdict({ entry, state: undefined })).toEqual({ kind: 'rest' });
  expect(verdict({ entry })).toEqual({ kind: 'disarm' });
  expect(verdict({ entry, isSettled: false })).toEqual({ kind: 'unsettled' });
  expect(verdict({ entry, state: stateOf({ rule: undefined }) })).toEqual({ kind: 'rest' });
  expect(verdict({ state: stateOf({ rule: undefined }) })).toEqual({ kind: 'rest' });
});

test.each([
  ['schedule', stateOf({}, defined({ every: '2h' }))],
  ['overlap', stateOf({}, defined({ every: '1h' }, { overlap: 'skip' }))],
  ['task', stateOf({ task: 'another' })],
])('a scheduler with another %s than the entry is made anew, unless that was done a moment ago', (_, state) => {
  expect(verdict({ state })).toEqual({ kind: 'arm', why: 'its job scheduler was an older one' });
  expect(verdict({ state, isSettled: false })).toEqual({ kind: 'unsettled' });
  expect(verdict({ state, isVerified: true })).toEqual({ kind: 'ahead', dueAt: NEXT });
});

test('an entry that was changed so that it fires no more is disarmed', () => {
  const entry = entryOf(defined({ every: '1h', endAt: '2026-03-01T12:10Z' }));
  expect(verdict({ entry })).toEqual({ kind: 'disarm' });
});

test('from a firing that is due the chain goes on, wherever that firing is', () => {
  for (const ahead of ['scheduled', 'waiting', 'active', 'finished'] as const) {
    const state = stateOf({ dueAt: BEFORE, ahead });
    expect(verdict({ state })).toEqual({ kind: 'go-on', from: BEFORE, steps: [NEXT] });
  }
});

test.each(['skip', 'replace'] as const)(
  'with the overlap %s a firing that is due waits alone for its worker',
  (overlap) => {
    const definition = defined({ every: '1h' }, { overlap });
    const entry = entryOf(definition);
    for (const ahead of ['scheduled', 'waiting', 'active'] as const) {
      const state = stateOf({ dueAt: BEFORE, ahead }, definition);
      expect(verdict({ entry, state })).toEqual({ kind: 'waits', dueAt: BEFORE });
    }
    const state = stateOf({ dueAt: BEFORE, ahead: 'finished' }, definition);
    expect(verdict({ entry, state })).toEqual({ kind: 'go-on', from: BEFORE, steps: [NEXT] });
  },
);

test('a job that is gone is put back if it was gone when it came due, and let go if somebody took it away after that', () => {
  expect(verdict({ state: stateOf({ ahead: 'missing' }) })).toEqual({ kind: 'arm', why: 'its next job was missing' });
  const state = stateOf({ dueAt: BEFORE, ahead: 'missing' });
  expect(verdict({ state })).toEqual({ kind: 'arm', why: 'its next job was missing', since: BEFORE - 1 });
  expect(verdict({ state, wasThere: true })).toEqual({ kind: 'go-on', from: BEFORE, steps: [NEXT] });
});

test('a chain that has ended rests, also when its last job is gone', () => {
  const definition = defined({ every: '1h', maxRuns: 3 });
  for (const ahead of ['waiting', 'finished', 'missing'] as const) {
    const state = stateOf({ dueAt: BEFORE, ahead }, definition);
    expect(verdict({ entry: entryOf(definition), state })).toEqual({ kind: 'rest' });
  }
});

test('due times that passed while nobody was there are steps of their own with the policy all', () => {
  const definition = defined({ every: '1h' }, { missed: { policy: 'all', windowMs: null, atMost: 100 } });
  const state = stateOf({ dueAt: BEFORE - 2 * HOUR_MS, ahead: 'waiting' }, definition);
  const steps = [BEFORE - HOUR_MS, BEFORE, NEXT];
  expect(verdict({ entry: entryOf(definition), state })).toEqual({ kind: 'go-on', from: BEFORE - 2 * HOUR_MS, steps });
});
