import { expect, test } from 'vitest';
import { parseNamePattern } from '../../../src/engine/core/name-pattern.ts';

test.each([
  ['email.*', 'email.send', true],
  ['email.*', 'email.digest.weekly', true],
  ['email.*', 'email', false],
  ['email.*', 'emailXsend', false],
  ['*', 'anything', true],
  ['*.send', 'email.send', true],
  ['*.send', 'email.send.now', false],
  ['v?.task', 'v1.task', true],
  ['v?.task', 'v12.task', false],
  ['a+b(c)[d]{e}^$|\\', 'a+b(c)[d]{e}^$|\\', true],
  ['a+b', 'aab', false],
  ['exact', 'exact', true],
  ['exact', 'exactly', false],
])('%j over %j is %j', (pattern, name, matches) => {
  expect(parseNamePattern(pattern)(name)).toBe(matches);
});
