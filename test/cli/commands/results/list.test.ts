import { describe, expect, test } from 'vitest';
import { createRow } from '../../../engine/broker/result-store/result-stores.ts';
import { FakeResultStore } from '../../../engine/worker/fake-result-store.ts';
import { NOW } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test.each([
    [[], { where: undefined, sort: undefined, limit: 100 }],
    [['--where', 'state:failure', '--limit', '7'], { where: 'state:failure', sort: undefined, limit: 7 }],
    [['--sort=-duration'], { where: undefined, sort: '-duration', limit: 100 }],
    [['--sort', 'created', '--results', 'sqlite:a.db'], { where: undefined, sort: 'created', limit: 100 }],
  ])('%j', async (argv, input) => {
    expect(await parseInput('results', 'list', ...argv)).toEqual(input);
  });

  test.each([
    [['--where', 'tsk:a'], /there is no field "tsk"; did you mean "task"/],
    [['--where', 'state:pending'], /"state" is never "pending"/],
    [['--sort', 'size'], /finished, created, duration/],
    [['--limit', '0'], /--limit must be a whole number from 1 to 10000/],
    [['x'], /too many arguments/],
  ])('%j is refused', async (argv, message) => {
    expect(await usageFault('results', 'list', ...argv)).toMatch(message);
  });
});

async function createSession() {
  const session = createFakeSession();
  const store = new FakeResultStore();
  const error = { name: 'TypeError', message: 'no\u001b[2J', code: null, stack: null };
  await store.write([
    createRow({ id: 'a', finishedAt: NOW - 5000, durationMs: 1500 }),
    createRow({ id: 'b', finishedAt: NOW, state: 'FAILURE', error }),
  ]);
  session.fakeResults.store = store;
  return session;
}

describe('input to output', () => {
  test('a pipe gets a line a row, complete', async () => {
    const { stdout, exitCode } = await run(['results', 'list'], { session: await createSession() });
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')[0]).toBe('a\temail.send\tdefault\tSUCCESS\t1\t1500\t2031-05-01T11:59:55.000Z\t');
    expect(stdout).not.toContain('\u001b');
  });

  test('--json gives a list of documents', async () => {
    const { stdout } = await run(['results', 'list', '--where', 'error:*', '--json'], {
      session: await createSession(),
    });
    expect(JSON.parse(stdout)).toMatchObject([{ id: 'b', state: 'FAILURE', error: { name: 'TypeError' } }]);
  });

  test('a terminal without results says so', async () => {
    const session = await createSession();
    const { stderr, stdout } = await run(['results', 'list', '--where', 'id:nope'], { session, columns: 80 });
    expect(stdout + stderr).toContain('no result fits');
  });

  test('without a result store has exit code 2', async () => {
    expect(await run(['results', 'list'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('RESULTS_OFF'),
    });
  });

  test('a URL that cannot be is refused, without its password', async () => {
    const ran = await run(['results', 'list', '--results', 'redis://:hunter2@box']);
    expect(ran.exitCode).toBe(2);
    expect(ran.stderr).toContain('--results must be a URL such as postgres://');
    expect(ran.stderr).not.toContain('hunter2');
  });
});
