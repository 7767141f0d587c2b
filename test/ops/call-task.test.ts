import { describe, expect, test } from 'vitest';
import { callTask } from '../../src/ops/call-task.ts';
import { execute } from '../../src/ops/gate.ts';
import { failToLoad } from '../cli/fake-app.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

const call = (input: unknown, session = createFakeSession()) => execute(callTask, input, { session });

describe('calling a task', () => {
  test('enqueues one job on the queue of the task, and asks nobody', async () => {
    const session = createFakeSession();
    const execution = await call({ task: 'email.send', args: [{ to: 'a@example.com' }] }, session);
    expect(execution).toEqual({
      kind: 'done',
      result: { id: expect.any(String), task: 'email.send', queue: 'high', state: 'PENDING', duplicate: false },
    });
    expect(session.fake.changes).toEqual(['add email.send to high']);
  });

  test('hands every option on to the app', async () => {
    const session = createFakeSession();
    const etaAt = NOW + 1000;
    await call(
      { task: 'email.send', queue: 'q', priority: 3, etaAt, expiresMs: 5, id: 'i', headers: { a: 'b' } },
      session,
    );
    await call({ task: 'email.send', countdownMs: 7, expiresAt: etaAt }, session);
    expect(session.fakeApp.sent.map(({ options }) => options)).toEqual([
      { queue: 'q', priority: 3, eta: etaAt, expires: 5, id: 'i', headers: { a: 'b' } },
      { countdown: 7, expires: new Date(etaAt) },
    ]);
  });

  test('gives the state as the broker has it', async () => {
    const execution = await call({ task: 'email.send', countdownMs: 5000 });
    expect(execution).toMatchObject({ result: { state: 'SCHEDULED' } });
  });
});

describe('a task that is not registered', () => {
  test('is refused with near names, and nothing is enqueued', async () => {
    const session = createFakeSession();
    await expect(call({ task: 'emial.send' }, session)).rejects.toMatchObject({
      code: 'UNKNOWN_TASK',
      exitCode: 2,
      message: expect.stringContaining('"email.send"'),
      next: expect.stringContaining('--queue'),
    });
    expect(session.fake.changes).toEqual([]);
  });

  test('is sent unchecked when its queue is named: other workers may register it', async () => {
    expect(await call({ task: 'report.build', queue: 'reports' })).toMatchObject({ result: { queue: 'reports' } });
  });
});

describe('a dry run', () => {
  test('says where the job would go and enqueues nothing', async () => {
    const session = createFakeSession();
    const execution = await execute(callTask, { task: 'email.send' }, { session, dryRun: true });
    expect(execution).toEqual({
      kind: 'planned',
      plan: {
        summary: 'would call task "email.send" on queue "high"',
        count: 0,
        rows: [{ task: 'email.send', queue: 'high' }],
      },
    });
    expect(session.fake.changes).toEqual([]);
  });

  test('refuses a task that is not registered, as the call would', async () => {
    const session = createFakeSession();
    await expect(execute(callTask, { task: 'nope' }, { session, dryRun: true })).rejects.toMatchObject({
      code: 'UNKNOWN_TASK',
    });
  });
});

describe('waiting', () => {
  test('gives the result once the job has ended', async () => {
    const broker = new FakeBroker().store('high', { id: 'known', state: 'SUCCESS', result: { ok: true } });
    const execution = await call({ task: 'email.send', id: 'known', wait: true }, createFakeSession(broker));
    expect(execution).toMatchObject({ result: { id: 'known', state: 'SUCCESS', result: { ok: true }, error: null } });
  });

  test('gives the state as it is when the time is over', async () => {
    expect(await call({ task: 'email.send', wait: true, timeoutMs: 10 })).toMatchObject({
      result: { state: 'PENDING' },
    });
  });
});

test('an app that cannot be loaded is the error of the call', async () => {
  const session = createFakeSession(new FakeBroker(), failToLoad);
  await expect(call({ task: 'email.send' }, session)).rejects.toMatchObject({ code: 'APP_FAILED' });
});

test('its command line says the same', () => {
  const etaAt = Date.parse('2031-05-01T12:00:00Z');
  const input = { task: 't', args: [1, 'a'], queue: 'q', priority: 3, etaAt, expiresMs: 500, headers: { a: 'b=c' } };
  expect(callTask.commandLine({ ...input, id: 'i', wait: true, timeoutMs: 1000 })).toEqual([
    ...['call', 't', '--args', '[1,"a"]', '--queue', 'q', '--priority', '3', '--eta', '2031-05-01T12:00:00.000Z'],
    ...['--expires', '500ms', '--id', 'i', '--header', 'a=b=c', '--wait', '--timeout', '1000ms'],
  ]);
});
