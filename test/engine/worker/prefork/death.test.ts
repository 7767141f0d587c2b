import { expect, test } from 'vitest';
import { type Death, describeDeath, judgeDeath } from '../../../../src/engine/worker/prefork/death.ts';

const QUIET: Death = { code: null, signal: null, stderr: '', uncaught: undefined, reason: undefined };
const uncaught = {
  name: 'TypeError',
  message: 'x is no function',
  code: null,
  stack: 'TypeError: x\n    at task (a.ts:1:1)',
};

test.each<[string, Partial<Death>, string, RegExp]>([
  ['an exit', { code: 3 }, 'exit code 3', /throw an error instead/],
  ['an exit without an error', { code: 0 }, 'exit code 0', /throw an error instead/],
  [
    'an error that nothing caught',
    { code: 1, uncaught },
    'exit code 1, uncaught TypeError: x is no function',
    /await every promise/,
  ],
  [
    'a broken process',
    { code: 70, uncaught },
    'exit code 70, a task has broken its process: x is no function',
    /built-ins/,
  ],
  ['a kill', { signal: 'SIGKILL' }, 'SIGKILL', /from outside/],
  ['a crash', { signal: 'SIGSEGV' }, 'SIGSEGV', /native modules/],
  [
    'a full heap',
    { signal: 'SIGABRT', stderr: 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory' },
    'out of memory (SIGABRT)',
    /--max-old-space-size/,
  ],
  [
    'a closed pipe',
    { signal: 'SIGKILL', stderr: 'the pipe to the worker has ended\n' },
    'it closed its pipe to the worker',
    /descriptors/,
  ],
  ['an end by the parent', { signal: 'SIGKILL', reason: 'it was not ready' }, 'it was not ready', /./],
])('%s is told with what helps', (_, death, how, next) => {
  const described = describeDeath({ ...QUIET, ...death });
  expect(described.how).toBe(how);
  expect(described.next).toMatch(next);
});

test('a job is run again after a growing wait, charged no attempt, until it has lost more workers than it may', () => {
  const outcomes = [0, 1, 2, 3, 4, 5].map((workersLost) =>
    judgeDeath({ task: 'a.task', workersLost }, { ...QUIET, code: 1 }, 4),
  );
  expect(outcomes.map(({ kind }) => kind)).toEqual(['lost', 'lost', 'lost', 'lost', 'dead', 'dead']);
  expect(outcomes.flatMap((outcome) => (outcome.kind === 'lost' ? outcome.delayMs : []))).toEqual([100, 200, 400, 800]);
  expect(outcomes[4]?.error).toMatchObject({
    name: 'WorkerLost',
    code: 'WORKER_LOST',
    message: expect.stringContaining(
      'the process that ran task "a.task" died: exit code 1; workers lost by this job: 5',
    ),
  });
});

test('the stack that is kept is that of the error which nothing caught, and none of tq', () => {
  const job = { task: 'a.task', workersLost: 0 };
  expect(judgeDeath(job, { ...QUIET, code: 1, uncaught }, 3).error.stack).toBe(uncaught.stack);
  expect(judgeDeath(job, { ...QUIET, code: 1 }, 3).error.stack).toBeNull();
});
