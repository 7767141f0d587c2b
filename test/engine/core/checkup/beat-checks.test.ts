import { expect, test } from 'vitest';
import { type CheckedEntry, checkBeat } from '../../../../src/engine/core/checkup/beat-checks.ts';

const NOW = 1_900_000_000_000;

const entry = (given: Partial<CheckedEntry> = {}): CheckedEntry => ({
  ...{ name: 'a', queue: 'mail', enabled: true, nextAt: NOW + 60_000, isArmed: true, error: null },
  ...given,
});

const check = (entries: readonly CheckedEntry[], leader: string | null = 'beat@a') =>
  checkBeat({ entries, leader, now: NOW }).map(({ status, message, fix }) => ({ status, message, fix }));

test('without entries that fire, no beat is missed', () => {
  const none = [{ status: 'ok', message: 'there are no schedule entries to keep', fix: null }];
  expect(check([], null)).toEqual(none);
  const message = 'none of 2 schedule entries fires any more; paused: a';
  expect(check([entry({ enabled: false }), entry({ name: 'b', nextAt: null, isArmed: false })], null)).toEqual([
    { status: 'ok', message, fix: null },
  ]);
});

test('entries that a beat keeps are well', () => {
  expect(check([entry(), entry({ name: 'b', nextAt: NOW - 60_000 })])).toEqual([
    { status: 'ok', message: 'beat@a keeps 2 schedule entries, and none is overdue', fix: null },
  ]);
  expect(check([entry(), entry({ name: 'b', enabled: false })])).toMatchObject([
    { status: 'ok', message: 'beat@a keeps 1 schedule entry, and none is overdue; paused: b' },
  ]);
});

test('entries that no beat keeps are a warning, with the two ways to start one', () => {
  expect(check([entry()], null)).toEqual([
    {
      status: 'warning',
      message: 'no beat leads, and there is 1 schedule entry: they go on only while workers take their firings',
      fix: 'start `tq beat`, or a worker with `tq worker --beat`',
    },
  ]);
});

test('an entry without its next firing has stopped when no beat leads, and comes back when one does', () => {
  const stopped = [entry({ isArmed: false })];
  expect(check(stopped, null).map(({ status }) => status)).toEqual(['warning', 'failed']);
  expect(check(stopped)).toMatchObject([
    { status: 'warning', message: '1 schedule entry of which no next firing is stored: a; beat@a stores them again' },
  ]);
});

test('overdue entries are named with the job to ask for, five of them', () => {
  const late = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => entry({ name, nextAt: NOW - 420_000 }));
  const found = check(late);
  expect(found).toHaveLength(6);
  expect(found[0]).toEqual({
    status: 'warning',
    message: 'schedule entry "a" is overdue: its firing was due 7m ago and has not started',
    fix: `\`tq why repeat:a:${NOW - 420_000} -Q mail\` says what it waits for`,
  });
  expect(found[5]?.message).toBe('2 schedule entries more overdue');
});

test('an entry that cannot be read is a warning with what to do', () => {
  const broken = entry({ enabled: true, nextAt: null, isArmed: false, error: 'cannot read it' });
  expect(check([broken])).toEqual([
    { status: 'warning', message: 'cannot read it', fix: '`tq schedule remove a`, and add it again' },
  ]);
});
