import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { catalogue } from '../src/engine/core/error-catalogue.ts';

/** Tests that list codes for their own sake say nothing about how an error comes about. */
const LISTS = new Set(['errors.test.ts', 'engine/core/errors.test.ts']);

const tests = globSync('**/*.ts', { cwd: import.meta.dirname })
  .filter((file) => !LISTS.has(file))
  .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'));

/** A test may name an error by its class, where no other code has the same one. */
const names = Object.values(catalogue).map(({ name }) => name);
const isUnique = (name: string): boolean => names.filter((other) => other === name).length === 1;

test.each(Object.entries(catalogue))('a test produces the error %s', (code, { name }) => {
  const words = isUnique(name) ? [code, name] : [code];
  expect(tests.some((text) => new RegExp(`\\b(?:${words.join('|')})\\b`).test(text))).toBe(true);
});
