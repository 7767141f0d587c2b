import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type Line, type LineBounds, readLines } from '../../../src/ops/transfer/line-reading.ts';
import { createFolderOfRun } from '../../support/run-folder.ts';

async function read(content: Buffer | string, bounds?: LineBounds): Promise<Line[]> {
  const path = join(createFolderOfRun('lines'), 'file');
  await writeFile(path, content);
  const lines: Line[] = [];
  for await (const line of readLines(path, bounds)) lines.push(line);
  return lines;
}

test('lines come with their numbers, empty ones are left out, the last one may be open', async () => {
  const lines = [
    { number: 1, text: 'a', isOpen: false },
    { number: 3, text: 'bü', isOpen: false },
    { number: 5, text: 'c', isOpen: true },
  ];
  expect(await read('a\n\nbü\n \nc')).toEqual(lines);
  expect(await read(gzipSync('a\n\nbü\n \nc'))).toEqual(lines);
  expect(await read('')).toEqual([]);
});

test('files packed one after the other are one', async () => {
  expect(await read(Buffer.concat([gzipSync('a\nb\n'), gzipSync('c\n')]))).toMatchObject([
    { text: 'a' },
    { text: 'b' },
    { text: 'c' },
  ]);
});

test('a line that is too long is told before it is over, and the next one is read', async () => {
  const bounds = { maxLineBytes: 2 ** 20 };
  expect(await read(`a\n${'x'.repeat(2 ** 20 + 1)}\nb\n`, bounds)).toEqual([
    { number: 1, text: 'a', isOpen: false },
    { number: 2, fault: 'it is longer than 1 MiB' },
    { number: 3, text: 'b', isOpen: false },
  ]);
});

test('what is no UTF-8 is a fault of its line', async () => {
  expect(await read(Buffer.from([0x61, 0x0a, 0xc3, 0x28, 0x0a, 0x62, 0x0a]))).toEqual([
    { number: 1, text: 'a', isOpen: false },
    { number: 2, fault: 'it is not text in UTF-8' },
    { number: 3, text: 'b', isOpen: false },
  ]);
});

test('a packed file that is cut gives its lines up to there, and then says so', async () => {
  const packed = gzipSync(Array.from({ length: 1000 }, (_, index) => `${index} ${Math.sin(index)}\n`).join(''));
  const lines = await read(packed.subarray(0, packed.length - 40));
  expect(lines.length).toBeGreaterThan(100);
  expect(lines.at(-1)).toMatchObject({ fault: 'the packed file is cut: it ends before its end' });
});

test('what was packed before the part that is cut comes whole', async () => {
  const part = (name: string) =>
    gzipSync(Array.from({ length: 5000 }, (_, at) => `${name}${at} ${Math.sin(at)}\n`).join(''));
  const lines = await read(Buffer.concat([part('a'), part('b').subarray(0, 12)]));
  expect(lines.filter((line) => 'text' in line && line.text.startsWith('a')).length).toBe(5000);
  expect(lines.at(-1)).toMatchObject({ fault: expect.stringContaining('is cut') });
});

test('a packed file that is damaged says so', async () => {
  const packed = gzipSync('a\n'.repeat(1000));
  packed.fill(0xff, 12, 24);
  expect((await read(packed)).at(-1)).toMatchObject({ fault: expect.stringContaining('the packed file is damaged') });
});

test('a file that is packed to fill a disk is ended early', async () => {
  const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20, '\n'));
  const lines = await read(bomb, { trustedBytes: 2 ** 20 });
  expect(lines).toMatchObject([{ fault: expect.stringContaining('more than 200 times its size') }]);
});

test('a file without line breaks is never held', async () => {
  const bomb = gzipSync(Buffer.alloc(256 * 2 ** 20, 'x'));
  const before = process.memoryUsage().rss;
  expect(await read(bomb, { maxLineBytes: 2 ** 20 })).toMatchObject([{ number: 1, fault: 'it is longer than 1 MiB' }]);
  expect(process.memoryUsage().rss - before).toBeLessThan(128 * 2 ** 20);
});
