import { expect, test } from 'vitest';
import { type ByteSize, parseByteSize } from '../../../src/engine/core/byte-size.ts';

test.each<[ByteSize, number]>([
  [1, 1],
  [1048576, 1048576],
  ['512', 512],
  ['500MB', 500 * 1024 ** 2],
  ['500 mb', 500 * 1024 ** 2],
  ['1.5GiB', 1.5 * 1024 ** 3],
  ['2G', 2 * 1024 ** 3],
  ['262144KB', 1024 ** 2 * 256],
  ['1t', 1024 ** 4],
  ['7b', 7],
])('%s is %i bytes', (size, bytes) => {
  expect(parseByteSize(size, 'the limit')).toBe(bytes);
});

test.each<[unknown]>([
  [0],
  [-1],
  [1.5],
  [Number.NaN],
  [Number.POSITIVE_INFINITY],
  [''],
  ['much'],
  ['5XB'],
  ['-5MB'],
  ['0MB'],
  ['9999999T'],
  [null],
  [{}],
])('%j is refused', (size) => {
  expect(() => parseByteSize(size as ByteSize, 'the limit')).toThrow(
    /^the limit must be bytes, or a text such as 500MB, got /,
  );
});
