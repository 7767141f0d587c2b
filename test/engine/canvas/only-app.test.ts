import { expect, test } from 'vitest';
import { group } from '../../../src/engine/canvas/constructs.ts';
import { setUp } from '../app/setup.ts';

// In a file of its own: what is told apart here is how many apps a process has.
test('a group of no members is sent by the only app of the process, and by none where there are several', async () => {
  const refusal = { code: 'INVALID_SIGNATURE', message: 'cannot send a signature that belongs to no app' };
  await expect(group([]).delay()).rejects.toMatchObject(refusal);
  const { app, broker } = setUp();
  app.task('one', () => 1);
  app.task('two', () => 2);
  await group([]).delay();
  expect(broker.sent).toMatchObject([{ task: 'tq.workflow' }]);
  setUp().app.task('one', () => 1);
  await expect(group([]).delay()).rejects.toMatchObject(refusal);
});
