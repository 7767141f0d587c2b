import { expect, test } from 'vitest';
import { listPausedTasks } from '../../src/engine/worker/admission/paused-tasks.ts';
import { execute } from '../../src/ops/gate.ts';
import { pauseTasks } from '../../src/ops/pause-tasks.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

test('writes the record, tells all live workers, and names those that did not confirm', async () => {
  const broker = new FakeBroker();
  broker.control.add('tq@a', { 'reload-pauses': { paused: ['email.send', 'report'], unknown: ['report'] } });
  broker.control.add('tq@b', {
    'reload-pauses': { paused: ['email.send', 'report'], unknown: ['report', 'email.send'] },
  });
  broker.control.add('mute', {});
  broker.control.add('odd', { 'reload-pauses': new Error('no') });
  const execution = await execute(
    pauseTasks,
    { tasks: ['email.send', 'report', 'report'], timeoutMs: 50 },
    { session: createFakeSession(broker) },
  );
  expect(execution).toEqual({
    kind: 'done',
    result: {
      tasks: [
        { task: 'email.send', since: NOW, changed: true },
        { task: 'report', since: NOW, changed: true },
      ],
      unconfirmed: ['mute', 'odd'],
      unregistered: ['report'],
    },
  });
  expect(await listPausedTasks(broker.state)).toEqual([
    { task: 'email.send', since: NOW },
    { task: 'report', since: NOW },
  ]);
  expect(broker.control.questions).toMatchObject([{ command: 'reload-pauses', timeoutMs: 50 }]);
});

test('a task that is paused already stays paused since then', async () => {
  const broker = new FakeBroker();
  await broker.state.write('pause/task/a', JSON.stringify({ task: 'a', since: 5 }));
  expect(await execute(pauseTasks, { tasks: ['a'] }, { session: createFakeSession(broker) })).toMatchObject({
    result: { tasks: [{ task: 'a', since: 5, changed: false }], unconfirmed: [], unregistered: [] },
  });
});

test('a dry run pauses nothing and asks nobody', async () => {
  const broker = new FakeBroker();
  const session = createFakeSession(broker);
  expect(await execute(pauseTasks, { tasks: ['a', 'b'] }, { session, dryRun: true })).toMatchObject({
    plan: { summary: 'would pause 2 tasks', count: 0, rows: [{ task: 'a', since: null }, { task: 'b' }] },
  });
  expect(await listPausedTasks(broker.state)).toEqual([]);
  expect(broker.control.questions).toEqual([]);
});

test('a name that no task can have is refused', async () => {
  const asked = execute(pauseTasks, { tasks: ['a b'] }, { session: createFakeSession() });
  await expect(asked).rejects.toMatchObject({ code: 'INVALID_OPTION' });
});
