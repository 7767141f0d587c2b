import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generateFiles } from '../../docs/generate.ts';

const files = [...(await generateFiles())];

test.each(files)('%s is what `npm run generate` writes', async (path, text) => {
  expect(await readFile(join(import.meta.dirname, '../..', path), 'utf8')).toBe(text);
});
