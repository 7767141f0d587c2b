import { expect, test } from 'vitest';
import { FakeBroker, NOW } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

function setup() {
  const error = { name: 'TypeError', message: 'no', code: null, stack: null };
  const broker = new FakeBroker()
    .store('mail', { id: 'd', state: 'FAILURE', error, finishedAt: NOW })
    .store('mail', { id: 'w' })
    .store('mail', { id: 'head', state: 'FAILURE', error, finishedAt: NOW });
  broker.queue('mail').records.set('head', { place: 'completed' });
  return createFakeSession(broker);
}

test('takes an id, and the queue of a number', async () => {
  expect(await parseInput('dlq', 'show', '7', '-Q', 'mail')).toEqual({ id: '7', queue: 'mail' });
});

test('it shows what `jobs show` shows', async () => {
  const dead = await run(['dlq', 'show', 'd', '--json'], { session: setup() });
  expect(dead).toMatchObject({ exitCode: 0, stderr: '' });
  expect(dead.stdout).toBe((await run(['jobs', 'show', 'd', '--json'], { session: setup() })).stdout);
});

test.each([
  ['w', 'job w is no dead letter: its state is PENDING [NOT_DEAD_LETTER]', 1],
  ['head', 'job head is no dead letter: its state is FAILURE [NOT_DEAD_LETTER]', 1],
  ['gone', '[UNKNOWN_JOB]', 3],
])('it refuses %s', async (id, text, exitCode) => {
  const ran = await run(['dlq', 'show', id], { session: setup() });
  expect(ran).toMatchObject({ exitCode, stdout: '' });
  expect(ran.stderr).toContain(text);
});
