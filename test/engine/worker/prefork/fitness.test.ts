import { expect, test } from 'vitest';
import { createFitnessCheck } from '../../../../src/engine/worker/prefork/fitness.ts';

/** Replaces a property for as long as `look` takes. */
function withChanged<Result>(owner: object, key: string, value: unknown, look: () => Result): Result {
  const before = Object.getOwnPropertyDescriptor(owner, key);
  Object.defineProperty(owner, key, { value, configurable: true, writable: true, enumerable: before === undefined });
  try {
    return look();
  } finally {
    if (before === undefined) Reflect.deleteProperty(owner, key);
    else Object.defineProperty(owner, key, before);
  }
}

const fail = (): never => {
  throw new Error('broken');
};

test('a process that nobody has touched is fit', () => {
  expect(createFitnessCheck()()).toBeUndefined();
});

test.each<[string, object, string, unknown]>([
  ['JSON', JSON, 'stringify', fail],
  ['JSON', JSON, 'parse', () => 5],
  ['Array', Array.prototype, 'map', fail],
  ['Array', Array.prototype, 'push', () => 0],
  ['Array', Array.prototype, 'includes', undefined],
  ['Object', Object, 'keys', () => []],
  ['Object', Object, 'entries', fail],
  ['String', String.prototype, 'split', (text: string) => [text]],
  ['Map, Set or Promise', Map.prototype, 'get', () => undefined],
  ['Map, Set or Promise', Promise.prototype, 'then', undefined],
  ['for … in', Object.prototype, 'polluted', 1],
])('one whose %s was broken is not (%#)', (name, owner, key, value) => {
  const check = createFitnessCheck();
  expect(withChanged(owner, key, value, check)).toBe(`a task has broken ${name}`);
  expect(check()).toBeUndefined();
});

test('one whose built-ins were wrapped and keep what they do is fit', () => {
  const check = createFitnessCheck();
  const { map } = Array.prototype;
  const wrapped = function (this: unknown[], ...args: Parameters<typeof map>) {
    return map.apply(this, args);
  };
  expect(withChanged(Array.prototype, 'map', wrapped, check)).toBeUndefined();
});

test('what was there before the first task is no fault of one', () => {
  expect(withChanged(Object.prototype, 'old', 1, () => createFitnessCheck()())).toBeUndefined();
});
