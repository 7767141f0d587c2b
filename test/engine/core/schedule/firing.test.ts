import { describe, expect, test } from 'vitest';
import {
  formatFiringId,
  parseFiringId,
  readExpiry,
  readFiring,
  readMark,
} from '../../../../src/engine/core/schedule/firing.ts';

describe('the id of a firing', () => {
  test.each(['nightly', 'a:b:1', 'with space', 'ü'])('says the due time of entry %o', (entry) => {
    const id = formatFiringId(entry, 1_700_000_000_000);
    expect(parseFiringId(id, entry)).toBe(1_700_000_000_000);
    expect(parseFiringId(id, `${entry}x`)).toBeUndefined();
    expect(readFiring({ id, meta: readMark(id) })).toEqual({ entry, dueAt: 1_700_000_000_000 });
  });

  test.each(['repeat::5', 'repeat:x', 'repeat:x:', 'repeat:x:5s', 'repeat:x:12345678901234567', 'x', '7'])(
    '%o is none',
    (id) => expect(readMark(id)).toEqual({}),
  );
});

describe('a firing', () => {
  test('has its due time from its mark, or else from its id', () => {
    const id = 'repeat:nightly:5000';
    expect(readFiring({ id, meta: { schedule: { entry: 'nightly' } } })).toEqual({ entry: 'nightly', dueAt: 5000 });
    const byHand = { entry: 'nightly', dueAt: 7 };
    expect(readFiring({ id, meta: { schedule: byHand } })).toEqual(byHand);
  });

  test('is none without a mark, and without a due time', () => {
    expect(readFiring({ id: 'repeat:nightly:5000', meta: {} })).toBeUndefined();
    expect(readFiring({ id: 'j', meta: { schedule: { entry: 'nightly' } } })).toBeUndefined();
  });

  test('expires by its call or by its entry, whichever is first', () => {
    const read = (expiresMs: number | undefined, expiresAt?: number, id = 'repeat:x:5000') => {
      const schedule = { entry: 'x', ...(expiresMs !== undefined && { expiresMs }) };
      return readExpiry({ id, meta: { schedule, ...(expiresAt !== undefined && { expiresAt }) } });
    };
    expect(read(undefined)).toBeUndefined();
    expect(read(1000)).toBe(6000);
    expect(read(1000, 5500)).toBe(5500);
    expect(read(1000, 6500)).toBe(6000);
    expect(read(1000, undefined, 'j')).toBeUndefined();
    expect(readExpiry({ id: 'j', meta: { expiresAt: 3 } })).toBe(3);
  });
});
