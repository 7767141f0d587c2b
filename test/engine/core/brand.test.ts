import { expect, test } from 'vitest';
import { createApp } from '../../../src/engine/app/create-app.ts';
import { isApp } from '../../../src/engine/core/brand.ts';

test('an app is recognised, also one of a second copy of the package', () => {
  expect(isApp(createApp({}, { env: {} }))).toBe(true);
  expect(isApp({ [Symbol.for('taskq.app')]: true })).toBe(true);
});

test.each([[undefined], [null], ['app'], [{}], [() => 1]])('%s is no app', (value) => {
  expect(isApp(value)).toBe(false);
});
