import { describe, expect, test } from 'vitest';
import { parseResultQuery } from '../../../src/engine/results/result-query.ts';

const filterOf = (text: string) => parseResultQuery(text, 1_000_000).filter;
const like = (text: string) => ({ kind: 'like', column: 'task', text });

describe('what a store is asked for', () => {
  test.each([
    ['task:a.*', like('a.*')],
    ['task:a', { kind: 'is', column: 'task', text: 'a' }],
    ['task:"a*"', { kind: 'is', column: 'task', text: 'a*' }],
    ['state:failure', { kind: 'is', column: 'state', text: 'FAILURE' }],
    ['-task:a.*', { kind: 'not', filter: like('a.*') }],
    ['error:*', { kind: 'present', column: 'error' }],
    ['age<10s', { kind: 'compare', column: 'finishedAt', operator: '>', value: 990_000 }],
    ['duration>=1s', { kind: 'compare', column: 'durationMs', operator: '>=', value: 1000 }],
    ['attempts:3', { kind: 'compare', column: 'attempts', operator: '=', value: 3 }],
  ])('%s', (text, filter) => {
    expect(filterOf(text)).toEqual(filter);
  });

  test('is never less than the query takes: what it cannot look for is left to the reader', () => {
    expect(filterOf('error~é')).toBeUndefined();
    expect(filterOf('-error~x')).toBeUndefined();
    expect(filterOf('error~é OR task:a.*')).toBeUndefined();
    expect(filterOf('error~é task:a.*')).toEqual({ kind: 'all', filters: [like('a.*')] });
    expect(filterOf('-(error~x task:a.*)')).toBeUndefined();
    expect(filterOf('-(task:a.* OR task:b.*)')).toMatchObject({ kind: 'not', filter: { kind: 'any' } });
  });
});
