import { expect, test } from 'vitest';
import { isFinished, STATES } from '../../../src/engine/core/state.ts';

test('a job does not leave SUCCESS, FAILURE, REVOKED and IGNORED by itself, and leaves every other state', () => {
  expect(STATES.filter(isFinished)).toEqual(['SUCCESS', 'FAILURE', 'REVOKED', 'IGNORED']);
});
