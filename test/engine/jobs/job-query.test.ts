import { describe, expect, test } from 'vitest';
import { fingerprintOf } from '../../../src/engine/core/fingerprint.ts';
import type { JobSummary, StoredJob } from '../../../src/engine/core/job.ts';
import { EXACT_NUMBERS } from '../../../src/engine/core/query/query-path.ts';
import { parseJobQuery } from '../../../src/engine/jobs/job-query.ts';
import { createStoredJob } from '../../cli/fake-broker.ts';

const NOW = 1_000_000_000;

const DEAD = createStoredJob({
  id: 'job-1',
  task: 'email.send',
  queue: 'high',
  state: 'FAILURE',
  args: [
    {
      to: 'ada@example.com',
      items: [{ id: 7 }, { id: 8 }, { id: 101.5 }],
      flag: true,
      none: null,
      'a.b': { c: 'dot' },
    },
    'second',
    Number('12345678901234567890'),
  ],
  meta: {
    requestId: 'r-1',
    rootId: 'root',
    parentId: 'parent',
    headers: { tenant: 'acme', 'x.y': 'z' },
    workflow: { id: 'flow', node: 2 },
  },
  attempts: 3,
  priority: 9,
  createdAt: NOW - 7_200_000,
  startedAt: NOW - 65_000,
  finishedAt: NOW - 60_000,
  worker: 'tq@box',
  unique: 'k1',
  error: { name: 'TimeoutError', message: 'Connect TIMEOUT (10 s)', code: null, stack: null },
  [EXACT_NUMBERS]: new Map([['args.2', '12345678901234567890']]),
});

const takes = (query: string, job: StoredJob | JobSummary = DEAD): boolean => parseJobQuery(query, NOW).matches(job);

describe('a query takes the job', () => {
  test.each([
    'id:job-1',
    'id:job-*',
    'task:email.*',
    'queue:h*',
    'state:dead',
    'state:DEAD',
    'state:FAILURE',
    'state:fail*',
    '-state:waiting',
    'error~timeout',
    'error:TimeoutError*',
    'worker:tq@*',
    'attempts>=3',
    'priority:9',
    'age>1h',
    'age<3h',
    'finished:1m',
    'finished<2m',
    'duration:5s',
    'unique:k1',
    'requestId:r-1',
    'rootId:root',
    'parentId:p*',
    'workflowId:flow',
    'headers.tenant:acme',
    'headers.x.y:z',
    'args.0.to=*@example.com',
    'args.0.to:*@example.com',
    'args.0.to:"ada@example.com"',
    'args.0.to~ADA@',
    'args.0.items.1.id:8',
    'args.0.items.1.id:8.0',
    'args.0.items.2.id>101',
    'args.0.items.2.id<=101.5',
    'args.0.flag:true',
    'args.0.a.b.c:dot',
    'args.0.items~"id\\":101"',
    'args.1:second',
    'args~second',
    'args.0.to:*',
    'args.2:12345678901234567890',
    'args.2>12345678901234567889',
    'args.2<12345678901234567891',
    'args.2~4567890',
    '-args.0.none:*',
    '-args.0.nothing:*',
    '-result:*',
    '-due:*',
    'state:dead task:email.* queue:high error~timeout age>1h attempts>=3 args.0.to=*@example.com id:job-1 requestId:r-1',
  ])('%s', (query) => {
    expect(takes(query)).toBe(true);
  });
});

describe('a query leaves the job', () => {
  test.each([
    'id:job',
    'state:completed',
    'state:SUCCESS',
    '-state:dead',
    'error~refused',
    'attempts>3',
    'age<1h',
    'due<1h',
    'reason:*',
    'fingerprint:00000000',
    'headers.tenant:Acme',
    'headers.constructor:*',
    'args.0.to="*@example.com"',
    'args.0.to>3',
    'args.0.items.1.id:80',
    'args.0.items.3.id:*',
    'args.0.items.length:3',
    'args.0.none:null',
    'args.0.to.0:a',
    'args.2:12345678901234567891',
    'args.2>12345678901234567890',
    'args.3:*',
    'result.x:*',
  ])('%s', (query) => {
    expect(takes(query)).toBe(false);
  });
});

test('a summary is matched as the job is, by what it holds', () => {
  const { id, task, queue, state, attempts, worker, createdAt, dueAt, startedAt, finishedAt, progress } = DEAD;
  const { error, reason, revoked } = DEAD;
  const times = { createdAt, dueAt, startedAt, finishedAt };
  const summary = { id, task, queue, state, attempts, worker, ...times, progress, error, reason, revoked };
  expect(takes('state:dead error~timeout duration:5s', summary as JobSummary)).toBe(true);
  expect(takes('fingerprint:1a2b3c4d', { ...summary, fingerprint: '1a2b3c4d' } as JobSummary)).toBe(true);
  const fingerprint = DEAD.error === null ? '' : fingerprintOf(DEAD.error);
  expect(takes(`fingerprint:${fingerprint}`)).toBe(true);
});

test('due is the time until a scheduled job is due; one that is overdue is due within anything', () => {
  const scheduled = createStoredJob({ state: 'SCHEDULED', dueAt: NOW + 60_000 });
  expect(takes('due<2m due>30s', scheduled)).toBe(true);
  expect(takes('due<30s', scheduled)).toBe(false);
  expect(takes('due<1ms', { ...scheduled, dueAt: NOW - 60_000 })).toBe(true);
});

test('places are values of the state beside the states themselves', () => {
  expect(takes('state:waiting', createStoredJob({ state: 'PENDING' }))).toBe(true);
  expect(takes('state:waiting', createStoredJob({ state: 'RETRY' }))).toBe(true);
  expect(takes('state:scheduled', createStoredJob({ state: 'RETRY', dueAt: NOW }))).toBe(true);
  expect(takes('state:active', createStoredJob({ state: 'STARTED' }))).toBe(true);
  expect(takes('state:blocked', createStoredJob({ state: 'BLOCKED' }))).toBe(true);
  expect(takes('state:completed', createStoredJob({ state: 'IGNORED', finishedAt: NOW }))).toBe(true);
});

test('where a job was met tells the finished head of a workflow from a dead letter, if its state can be there', () => {
  const { matches } = parseJobQuery('state:dead', NOW);
  expect(matches(DEAD, 'dead')).toBe(true);
  expect(matches(DEAD, 'completed')).toBe(false);
  expect(matches(createStoredJob({ state: 'PENDING' }), 'dead')).toBe(false);
});

describe('only what can hold such a job is looked through', () => {
  const ALL = ['waiting', 'active', 'scheduled', 'blocked', 'dead', 'completed'];
  test.each([
    ['task:a', ALL],
    ['state:dead', ['dead']],
    ['state:DEAD task:a', ['dead']],
    ['state:FAILURE', ['dead', 'completed']],
    ['-state:FAILURE', ['waiting', 'active', 'scheduled', 'blocked', 'completed']],
    ['-state:dead', ['waiting', 'active', 'scheduled', 'blocked', 'completed']],
    ['state:RETRY', ['waiting', 'scheduled']],
    ['state:s*', ['active', 'scheduled', 'completed']],
    ['state:*', ALL],
    ['state~ead', ['dead']],
    ['state:dead OR state:waiting', ['waiting', 'dead']],
    ['state:dead OR task:a', ALL],
    ['state:dead state:waiting', []],
    ['-(state:dead OR state:completed)', ['waiting', 'active', 'scheduled', 'blocked']],
    ['due<1h', ['scheduled']],
    ['-due<1h', ALL],
    ['result.x:1', ['completed']],
  ])('%s', (query, places) => {
    expect(parseJobQuery(query, NOW).places).toEqual(places);
  });

  test('of queues too, and of both together', () => {
    expect(parseJobQuery('task:a', NOW).queues).toBeUndefined();
    const { queues } = parseJobQuery('queue:mail-* -queue:mail-low', NOW);
    expect(['mail-high', 'mail-low', 'other'].map((name) => queues?.(name))).toEqual([true, false, false]);
    const { reaches } = parseJobQuery('(queue:a state:dead) OR (queue:b state:waiting)', NOW);
    expect([reaches('a', 'dead'), reaches('a', 'waiting'), reaches('b', 'waiting')]).toEqual([true, false, true]);
    expect(parseJobQuery('queue:a OR task:b', NOW).queues?.('other')).toBe(true);
  });
});

test('what a summary holds is read of a summary', () => {
  expect(parseJobQuery('state:dead error~x worker:y attempts>1 duration>1s', NOW).needsData).toBe(false);
  for (const term of ['args.0:1', 'args~x', 'headers.a:b', 'result:*', 'requestId:r', 'priority:1', 'unique:k']) {
    expect(parseJobQuery(`task:a OR -${term}`, NOW).needsData).toBe(true);
  }
});

describe('what a store is asked for', () => {
  const compare = (field: string, operator: string, value: number) => ({ kind: 'compare', field, operator, value });
  test.each([
    ['task:a.*', { kind: 'like', field: 'task', text: 'a.*' }],
    ['task:"a.*"', { kind: 'is', field: 'task', text: 'a.*' }],
    ['-id:a', { kind: 'not', filter: { kind: 'is', field: 'id', text: 'a' } }],
    ['worker~Box', { kind: 'contains', field: 'worker', text: 'Box' }],
    ['error~timeout', { kind: 'contains', field: 'error', text: 'timeout' }],
    ['age>1s', compare('createdAt', '<', NOW - 1000)],
    ['finished<=1s', compare('finishedAt', '>=', NOW - 1000)],
    ['attempts>=3', compare('attemptsMade', '>=', 2)],
    ['attempts<3', compare('attemptsMade', '<', 3)],
    ['state:dead task:a', { kind: 'all', filters: [{ kind: 'is', field: 'task', text: 'a' }] }],
  ])('%s', (query, filter) => {
    expect(parseJobQuery(query, NOW).filter).toEqual(filter);
  });

  test.each([
    'error~"Error: boom"',
    'error~erro',
    'error~lost',
    'error~é',
    'error:x*',
    '-error~timeout',
    '-attempts>3',
    'task:*',
    'task:a OR args.0:1',
    'args.0.to:x',
  ])('nothing for %s, which it cannot look for without leaving out a job', (query) => {
    expect(parseJobQuery(query, NOW).filter).toBeUndefined();
  });
});

describe('a query that cannot be read says where and why', () => {
  const faults: readonly [query: string, problem: string, marks: string][] = [
    ['', 'it is empty', '^'],
    ['stat:dead', 'there is no field "stat"; did you mean "state"?', '^~~~'],
    ['arg.0:1', 'there is no field "arg.0"; did you mean "args"?', '^~~~~'],
    ['task.name:a', 'there is no field "task.name"', '^~~~~~~~~'],
    ['state:dea', '"state" is never "dea"; did you mean "dead"?', '      ^~~'],
    ['state>dead', '"state" is a text and takes : = ~, not >', '^~~~~~~~~~'],
    ['args.0.n>ten', '> compares numbers, and "ten" is none', '         ^~~'],
    ['args..to:a', 'the path "args..to" has an empty part; write it as args.0.name', '^~~~~~~~'],
    ['task:a args.:a', 'the path "args." has an empty part', '       ^~~~~'],
    ['age>10', '"age" takes a duration such as 250ms', '    ^~'],
    ['due~1h', '"due" is a duration and takes : = > >= < <=, not ~', '^~~~~~'],
    ['attempts:many', '"attempts" is a number, and "many" is none', '         ^~~~'],
    ['dead', '"dead" is no term; a term is field:value', '^~~~'],
    ['state:dead (task:a', 'the parenthesis is not closed', '           ^'],
    ['task:"a', 'the quote " does not end', '     ^~'],
  ];
  test.each(faults)('%j', (query, problem, marks) => {
    let thrown: unknown;
    try {
      parseJobQuery(query, NOW);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'INVALID_QUERY', exitCode: 2 });
    const [first, , marked] = (thrown as Error).message.split('\n');
    expect(first).toContain(problem);
    expect(marked).toBe(`  ${marks}`);
  });
});
