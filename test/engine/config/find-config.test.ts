import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findConfig } from '../../../src/engine/config/find-config.ts';
import { createFolder } from './folder.ts';

test('finds the file of the folder itself before one above it', async () => {
  const folder = await createFolder({ 'tq.config.js': '', 'deep/tq.config.mjs': '' });
  expect(await findConfig(join(folder, 'deep'))).toBe(join(folder, 'deep/tq.config.mjs'));
});

test('goes up until a folder has one', async () => {
  const folder = await createFolder({ 'tq.config.js': '', 'a/b/c/x.txt': '' });
  expect(await findConfig(join(folder, 'a/b/c'))).toBe(join(folder, 'tq.config.js'));
});

test('takes TypeScript before JavaScript', async () => {
  const folder = await createFolder({ 'tq.config.mjs': '', 'tq.config.js': '', 'tq.config.ts': '' });
  expect(await findConfig(folder)).toBe(join(folder, 'tq.config.ts'));
});

test('passes over a folder of that name, and ends at the root of the file system', async () => {
  const folder = await createFolder({ 'tq.config.ts/x.txt': '' });
  expect(await findConfig(folder)).toBeUndefined();
});

test('goes up from a folder that does not exist', async () => {
  const folder = await createFolder({ 'tq.config.ts': '' });
  expect(await findConfig(join(folder, 'gone/deeper'))).toBe(join(folder, 'tq.config.ts'));
});
