import { expect, test } from 'vitest';
import { markAsChild } from '../../../src/engine/core/child-mark.ts';
import { createApp } from '../../../src/index.ts';

test('a module that makes a worker itself is refused in the child of a worker', async () => {
  markAsChild();
  const app = createApp({ broker: 'sqlite::memory:' }, { env: {} });
  await expect(app.createWorker()).rejects.toMatchObject({ code: 'WORKER_IN_CHILD' });
  await app.close();
});
