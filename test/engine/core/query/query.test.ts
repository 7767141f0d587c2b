import { describe, expect, test } from 'vitest';
import { parseQuery, type QueryFields } from '../../../../src/engine/core/query/query.ts';

const FIELDS: QueryFields = {
  state: { kind: 'choice', choices: ['PENDING', 'FAILURE'] },
  task: { kind: 'text' },
  queue: { kind: 'text' },
  error: { kind: 'text' },
  attempts: { kind: 'number' },
  duration: { kind: 'duration', key: 'durationMs' },
  age: { kind: 'age', key: 'createdAt' },
};

const NOW = 1_000_000_000;
const RECORD = {
  state: 'FAILURE',
  task: 'email.send',
  queue: 'high',
  error: 'Error: Connect TIMEOUT (10 s)',
  attempts: 3,
  durationMs: 1500,
  createdAt: NOW - 60_000,
};

const matches = (query: string, record: object = RECORD): boolean =>
  parseQuery(query, FIELDS)(record as Record<string, unknown>, NOW);

describe('a query takes the record', () => {
  test.each([
    'task:email.send',
    'task:email.*',
    'task=email.*',
    'task:*',
    'task:e?ail.send',
    'state:failure',
    'state:FAIL*',
    'error~timeout',
    'error~"connect timeout"',
    "error~'(10 s)'",
    'error~(10',
    'attempts>=3',
    'attempts>2',
    'attempts<=3',
    'attempts<4',
    'attempts=3',
    'attempts:3',
    'attempts:*',
    'duration>1s',
    'duration:1500ms',
    'age>=1m',
    'age<1h',
    '-queue:low',
    '--queue:high',
    'task:email.* queue:high',
    'task:email.* AND queue:high',
    'queue:low OR task:email.send',
    'queue:low OR task:other OR attempts>1',
    // AND binds more than OR.
    'queue:high OR task:email.send queue:low',
    '(queue:low OR queue:high) task:email.*',
    '-(queue:low OR task:other)',
    ' \t task:email.send\n',
  ])('%s', (query) => {
    expect(matches(query)).toBe(true);
  });
});

describe('a query leaves the record', () => {
  test.each([
    'task:email',
    'task:Email.send',
    'task:"email.*"',
    'task="email.*"',
    'error~refused',
    'attempts>3',
    'attempts:4',
    'duration<1s',
    'age>1h',
    '-task:email.*',
    'task:email.* queue:low',
    'queue:low OR task:other',
    '(queue:low OR queue:high) task:other',
    '-(queue:high OR task:other)',
  ])('%s', (query) => {
    expect(matches(query)).toBe(false);
  });
});

test('a field that the record does not have fits no term, and the negation of each', () => {
  for (const term of ['error~a', 'error:*', 'attempts>=0', 'attempts<5', 'duration>=0ms', 'age>=0s', 'state:pending']) {
    expect(matches(term, { error: null, state: null })).toBe(false);
    expect(matches(`-${term}`, { error: null, state: null })).toBe(true);
  }
});

test('a quoted value is meant letter by letter, with a backslash before a quote', () => {
  expect(matches('task:"a \\"b\\" * c"', { task: 'a "b" * c' })).toBe(true);
  expect(matches("task:'it\\'s'", { task: "it's" })).toBe(true);
  expect(matches('task:""', { task: '' })).toBe(true);
});

test('characters that are special elsewhere are plain in a pattern', () => {
  expect(matches('task:a.b+c[d]$', { task: 'a.b+c[d]$' })).toBe(true);
  expect(matches('task:a.b', { task: 'axb' })).toBe(false);
});

describe('a query that cannot be read says where and why', () => {
  const faults: readonly [query: string, problem: string, marks: string][] = [
    ['', 'it is empty', '^'],
    ['tsk:a', 'there is no field "tsk"; did you mean "task"?', '^~~'],
    ['task:a  zzz:b', 'there is no field "zzz"; the fields are state, task, queue', '        ^~~'],
    ['constructor:a', 'there is no field "constructor"', '^~~~~~~~~~~'],
    ['state:failur', '"state" is never "failur"; did you mean "FAILURE"?', '      ^~~~~~'],
    ['task:a email', '"email" is no term; a term is field:value', '       ^~~~~'],
    ['task:a or queue:b', 'write OR in capitals', '       ^~'],
    ['not task:a', 'a minus before a term turns it round', '^~~'],
    ['task: queue:b', 'a value is missing after "task:"', '^~~~~'],
    ['task:"a', 'the quote " does not end', '     ^~'],
    ['task>3', '"task" is a text and takes : = ~, not >', '^~~~~~'],
    ['attempts~3', '"attempts" is a number and takes : = > >= < <=, not ~', '^~~~~~~~~~'],
    ['attempts>x', '"attempts" is a number, and "x" is none', '         ^'],
    ['duration>10', '"duration" takes a duration such as 250ms', '         ^~'],
    ['(task:a', 'the parenthesis is not closed', '^'],
    ['task:a )', 'no parenthesis is open here', '       ^'],
    ['task:a OR', 'a term such as field:value is missing here', '         ^'],
    ['OR task:a', 'a term such as field:value is missing here', '^~'],
    ['task:a -', 'a term such as field:value is missing here', '        ^'],
    ['()', 'a term such as field:value is missing here', ' ^'],
  ];
  test.each(faults)('%j', (query, problem, marks) => {
    let thrown: unknown;
    try {
      parseQuery(query, FIELDS);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'INVALID_QUERY', exitCode: 2 });
    const [first, shown, marked] = (thrown as Error).message.split('\n');
    expect(first).toContain(problem);
    expect(shown).toBe(`  ${query}`);
    expect(marked).toBe(`  ${marks}`);
  });
});
