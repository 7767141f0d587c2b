import { describe, expect, test } from 'vitest';
import { readExactJson, writeExactJson } from '../../../src/engine/core/exact-json.ts';
import { listDifferences, mergePatch } from '../../../src/engine/core/merge-patch.ts';

/** RFC 7396, appendix A. */
test.each([
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', 'null'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
])('%s patched with %s is %s', (target, patch, result) => {
  expect(writeExactJson(mergePatch(readExactJson(target), readExactJson(patch)))).toBe(result);
});

test('a key called __proto__ is a key, and no number is changed beside the patch', () => {
  const patched = mergePatch(readExactJson('{"n":12345678901234567890}'), readExactJson('{"__proto__":1}'));
  expect(writeExactJson(patched)).toBe('{"n":12345678901234567890,"__proto__":1}');
});

describe('differences', () => {
  test('are named by their paths', () => {
    const before = readExactJson('[{"to":"a","cc":["x"],"n":12345678901234567890}]');
    const after = readExactJson('[{"to":"b","cc":["x","y"],"n":12345678901234567891,"html":"<p>"}]');
    expect(listDifferences(before, after, 'args')).toEqual([
      { path: 'args.0.to', before: '"a"', after: '"b"' },
      { path: 'args.0.cc', before: '["x"]', after: '["x","y"]' },
      { path: 'args.0.n', before: '12345678901234567890', after: '12345678901234567891' },
      { path: 'args.0.html', before: undefined, after: '"<p>"' },
    ]);
  });

  test('there are none between equal values', () => {
    expect(listDifferences({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toEqual([]);
  });
});
