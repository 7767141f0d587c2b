import { expect, test } from 'vitest';
import { explainJob } from '../../src/ops/explain-job.ts';
import { READING } from '../../src/ops/operation.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

const explain = (id: string, broker: FakeBroker, queue?: string) =>
  explainJob.run(createFakeSession(broker), { id, ...(queue !== undefined && { queue }) }, READING);

test('nobody is asked about a job that has ended', async () => {
  const broker = new FakeBroker().store('mail', { id: 'x', state: 'SUCCESS', finishedAt: NOW });
  expect(await explain('x', broker)).toMatchObject({
    ...{ id: 'x', task: 'email.send', queue: 'mail', state: 'SUCCESS', reasons: [{ code: 'SUCCEEDED' }] },
  });
  expect(broker.control.questions).toEqual([]);
});

test('a worker that answers only half of what is asked is silent', async () => {
  const broker = new FakeBroker().store('mail', { id: 'x' });
  broker.queue('mail').consumers = 1;
  broker.control.add('tq@a', { held: { active: [], reserved: [], queues: ['mail'], lockDurationMs: 30_000 } });
  const { reasons } = await explain('x', broker);
  expect(reasons[0]).toMatchObject({ code: 'WORKER_SILENT' });
});

test('a job that is gone when the workers have answered is unknown', async () => {
  const broker = new FakeBroker().store('mail', { id: 'x' });
  const queue = broker.queue('mail');
  const readStanding = queue.readStanding.bind(queue);
  queue.readStanding = async (...args) => {
    const standing = await readStanding(...args);
    queue.jobs.delete('x');
    return standing;
  };
  expect(await explain('x', broker)).toMatchObject({ state: 'UNKNOWN', reasons: [{ code: 'UNKNOWN' }] });
});

test('an id that is the name of a schedule entry is told as one', async () => {
  const broker = new FakeBroker();
  await broker.state.write('schedule/entry/nightly', 'not an entry that anybody wrote');
  expect(await explain('nightly', broker)).toMatchObject({
    state: 'UNKNOWN',
    reasons: [{ code: 'UNKNOWN', message: '"nightly" is a schedule entry and no job' }],
  });
  expect((await explain('nightly', broker)).reasons[0]?.next).toMatch(/^`tq schedule show nightly` says/);
});

test('a job that was taken while it was looked at is looked at again', async () => {
  const broker = new FakeBroker().store('mail', { id: 'x' });
  const queue = broker.queue('mail');
  const waiting = queue.jobs.get('x');
  const readStanding = queue.readStanding.bind(queue);
  queue.readStanding = async (...args) => {
    if (waiting !== undefined) queue.put({ ...waiting, state: 'STARTED', startedAt: NOW, worker: 'tq@a' });
    return await readStanding(...args);
  };
  expect(await explain('x', broker)).toMatchObject({ state: 'STARTED', reasons: [{ code: 'WORKER_GONE' }] });
});

test('a number that several queues hold is not guessed', async () => {
  const broker = new FakeBroker().store('mail', { id: '7' }).store('video', { id: '7' });
  await expect(explain('7', broker)).rejects.toMatchObject({ code: 'AMBIGUOUS_JOB', exitCode: 2 });
  expect(await explain('7', broker, 'video')).toMatchObject({ queue: 'video' });
});

test('its command line says the same', () => {
  expect(explainJob.commandLine({ id: 'x', queue: 'mail', timeoutMs: 500 })).toEqual([
    ...['why', 'x', '--queue', 'mail', '--timeout', '500ms'],
  ]);
});
