import { describe, expect, test } from 'vitest';
import { createPatientBackend } from '../../../src/engine/broker/patient-backend.ts';
import { createFakeBackend, gives } from './fake-backend.ts';

const METHODS = [
  'moveToActive',
  'moveToCompleted',
  'moveToFailed',
  'moveToDelayed',
  'addLog',
  'updateProgress',
  'updateJobSchedulerNextMillis',
  'isJobScheduler',
  'getState',
];

function away(): Error {
  return Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
}

/** As BullMQ says that a job is not held by this worker any more. */
function notOurs(code: number): Error {
  return Object.assign(new Error(`job 1 is gone (${code})`), { code });
}

function setup() {
  const heard: string[] = [];
  const abandon = new AbortController();
  const store = createFakeBackend(METHODS);
  const backend = createPatientBackend(store.backend, {
    onTrouble: ({ message }) => heard.push(`trouble: ${message}`),
    onAnswer: () => heard.push('answer'),
    onLockLost: (id, { message }) => heard.push(`lost ${id}: ${message}`),
    abandon: abandon.signal,
  });
  const complete = (): Promise<unknown> => backend.moveToCompleted({ id: '1' } as never, 'result', true, 'token', true);
  return { heard, abandon, store, backend, complete };
}

describe('a patient backend', () => {
  test('passes on what the store answers', async () => {
    const { store, backend, heard } = setup();
    store.answers.set('moveToActive', [gives('1')]);
    expect(await backend.moveToActive('token')).toEqual(gives('1'));
    expect(heard).toEqual(['answer']);
  });

  test('asks again until the store answers', async () => {
    const { store, complete, heard } = setup();
    store.answers.set('moveToCompleted', [away(), away(), { result: undefined, finishedOn: 5 }]);
    expect(await complete()).toEqual({ result: undefined, finishedOn: 5 });
    expect(heard).toEqual(['trouble: connect ECONNREFUSED', 'trouble: connect ECONNREFUSED', 'answer']);
    expect(store.asked).toHaveLength(3);
  });

  test('is patient where a firing leads to the next one', async () => {
    const { store, backend } = setup();
    store.answers.set('isJobScheduler', [away(), true]);
    store.answers.set('updateJobSchedulerNextMillis', [away(), 'repeat:tick:2']);
    expect(await backend.isJobScheduler('a:b:c:d: *')).toBe(true);
    expect(await backend.updateJobSchedulerNextMillis('tick', 2, '{}', {}, 'repeat:tick:1')).toBe('repeat:tick:2');
  });

  test('is patient for the log and the progress of a task too', async () => {
    const { store, backend } = setup();
    store.answers.set('addLog', [away(), 1]);
    store.answers.set('updateProgress', [away(), undefined]);
    expect(await backend.addLog('1', 'row', undefined)).toBe(1);
    await backend.updateProgress('1', 50);
    expect(store.asked).toEqual(['addLog', 'addLog', 'updateProgress', 'updateProgress']);
  });

  test('leaves other operations as they are', async () => {
    const { store, backend, heard } = setup();
    store.answers.set('getState', [away()]);
    await expect(backend.getState('1')).rejects.toThrow('ECONNREFUSED');
    expect(heard).toEqual([]);
  });

  test('throws what the store refuses', async () => {
    const { store, complete, heard } = setup();
    store.answers.set('moveToCompleted', [new Error('OOM command not allowed')]);
    await expect(complete()).rejects.toThrow('OOM');
    expect(heard).toEqual([]);
  });

  test.each([-1, -2, -3, -6])(
    'drops the outcome of a job that is not ours any more (%i), and says so',
    async (code) => {
      const { store, complete, heard } = setup();
      store.answers.set('moveToCompleted', [notOurs(code)]);
      expect(await complete()).toEqual({ result: undefined, finishedOn: 0 });
      expect(heard).toEqual(['answer', `lost 1: job 1 is gone (${code})`]);
    },
  );

  test('drops an outcome that was stored by the try whose answer was lost', async () => {
    const { store, backend, heard } = setup();
    store.answers.set('moveToDelayed', [away(), notOurs(-2)]);
    expect(await backend.moveToDelayed('1', 0, 0, 'token')).toBeUndefined();
    expect(heard.at(-1)).toBe('lost 1: job 1 is gone (-2)');
  });

  test('does not take a missing job of a log row for a lost lock', async () => {
    const { store, backend, heard } = setup();
    store.answers.set('addLog', [notOurs(-1)]);
    await expect(backend.addLog('1', 'row', undefined)).rejects.toThrow('gone');
    expect(heard).toEqual([]);
  });

  test('gives up at once when the consumer gives up', async () => {
    const { store, complete, heard, abandon } = setup();
    store.answers.set('moveToCompleted', [away(), away(), away()]);
    const completing = complete();
    abandon.abort();
    await expect(completing).rejects.toThrow('ECONNREFUSED');
    expect(heard).not.toContain('answer');
  });

  test('sets and reads properties of the backend below', () => {
    const { store, backend } = setup();
    (backend as unknown as { closing: boolean }).closing = true;
    expect((store.backend as unknown as { closing: boolean }).closing).toBe(true);
    expect((backend as unknown as { closing: boolean }).closing).toBe(true);
  });
});
