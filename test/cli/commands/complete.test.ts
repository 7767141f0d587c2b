import { expect, test } from 'vitest';
import { failToLoad } from '../fake-app.ts';
import { FakeBroker, NOW } from '../fake-broker.ts';
import { createFakeSession } from '../fake-session.ts';
import { run } from '../run-fake.ts';
import { storeEntries } from '../stored-entries.ts';

const broker = () => {
  const made = new FakeBroker()
    .store('high', { id: 'a', state: 'SCHEDULED', dueAt: NOW, createdAt: NOW - 1 })
    .store('low', { id: 'b', state: 'FAILURE', finishedAt: NOW })
    .store('bad\nname');
  for (const name of ['tq@a', 'tq@b', 'bad\nname']) made.control.add(name, {});
  return made.store('low');
};

const ENTRIES = { weekly: { task: 'report', every: '7d' }, nightly: { task: 'report', every: '1d' } };

test.each([
  ['tasks', 'email.send\nimage.thumbnail\n'],
  ['queues', 'high\nlow\n'],
  ['workers', 'tq@a\ntq@b\n'],
  ['ids', 'b\na\n'],
  ['entries', 'nightly\nweekly\n'],
  ['nonsense', ''],
])('%s, one a line', async (kind, stdout) => {
  const made = broker();
  await storeEntries(made, kind === 'entries' ? ENTRIES : {});
  const session = createFakeSession(made);
  expect(await run(['__complete', kind], { session })).toEqual({ exitCode: 0, stdout, stderr: '', questions: [] });
  expect(session.isClosed()).toBe(true);
});

test('says nothing when the broker is away, the app is broken or the settings are wrong', async () => {
  const nothing = { exitCode: 0, stdout: '', stderr: '' };
  expect(await run(['__complete', 'queues'], { session: createFakeSession(broker().break()) })).toMatchObject(nothing);
  const broken = createFakeSession(broker(), failToLoad);
  expect(await run(['__complete', 'tasks'], { session: broken })).toMatchObject(nothing);
  expect(await run(['__complete', 'tasks'], { env: { TQ_TIMEOUT: 'soon' } })).toMatchObject(nothing);
});
