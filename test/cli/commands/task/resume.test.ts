import { describe, expect, test } from 'vitest';
import { encodeHeld, heldKey } from '../../../../src/engine/worker/admission/held-index.ts';
import { FakeBroker, NOW } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describe('argv to input', () => {
  test('takes one task or several', async () => {
    expect(await parseInput('task', 'resume', 'a', 'b')).toEqual({ tasks: ['a', 'b'], timeoutMs: undefined });
    expect(await usageFault('task', 'resume')).toMatch(/missing required argument/);
  });
});

async function createBroker(): Promise<FakeBroker> {
  const job = { id: 'x', queue: 'high', task: 'email.send', createdAt: 1 };
  const broker = new FakeBroker().store('high', { ...job, state: 'SCHEDULED', dueAt: NOW + 3_600_000 });
  await broker.state.write('pause/task/email.send', JSON.stringify({ task: 'email.send', since: NOW - 60_000 }));
  await broker.state.write(heldKey(job, 'pause'), encodeHeld(job, null));
  return broker;
}

describe('input to output', () => {
  test('--json says how many jobs were let go', async () => {
    const broker = await createBroker();
    const session = createFakeSession(broker);
    const { exitCode, stdout, stderr } = await run(['task', 'resume', 'email.send', '--json'], { session });
    expect(JSON.parse(stdout)).toEqual({
      tasks: [{ task: 'email.send', since: NOW - 60_000, letGo: 1 }],
      unconfirmed: [],
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const again = await run(['task', 'resume', 'email.send', '--no-color'], { session, columns: 80 });
    expect(again).toMatchObject({
      exitCode: 0,
      stdout: 'TASK        WAS PAUSED  LET GO\nemail.send  -                0\n',
      stderr: 'task "email.send" was not paused\n',
    });
  });

  test('a worker that does not confirm has exit code 4', async () => {
    const broker = await createBroker();
    broker.control.add('mute', {});
    const ran = await run(['task', 'resume', 'email.send'], { session: createFakeSession(broker) });
    expect(ran).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('not confirmed by mute') });
  });
});

describe('while it is paused', () => {
  test('the views of queues, workers and scheduled jobs say so', async () => {
    const session = createFakeSession(await createBroker());
    const queues = await run(['inspect', 'queues', '--json'], { session });
    expect(JSON.parse(queues.stdout)).toMatchObject([
      { queue: 'high', scheduled: 0, held: 1 },
      { queue: 'dead_letter', held: 0 },
    ]);
    expect(queues.stderr).toBe('task "email.send" is paused since 2031-05-01T11:59:00.000Z; 1 job is held for it\n');
    const status = await run(['status', '--json'], { session });
    expect(JSON.parse(status.stdout)).toMatchObject({
      pausedTasks: [{ task: 'email.send', since: NOW - 60_000, held: 1 }],
    });
    const shown = await run(['status', '--no-color'], { session, columns: 120 });
    expect(shown.stdout).toMatch(/PAUSED TASK {2}SINCE {3}HELD\nemail\.send {3}1m ago {5}1\n$/);
    const scheduled = await run(['inspect', 'scheduled', '--json'], { session });
    expect(JSON.parse(scheduled.stdout)).toMatchObject([{ id: 'x', held: 'pause' }]);
  });
});
