import { describe, expect, test } from 'vitest';
import { createUndoDir } from '../../ops/undo/undoable-broker.ts';
import { FakeBroker } from '../fake-broker.ts';
import { createFakeSession, type FakeSession } from '../fake-session.ts';
import { parseInput, usageFault } from '../parse-input.ts';
import { run } from '../run-fake.ts';

describe('argv to input', () => {
  test.each([
    [[], {}],
    [['mhy2k9x1-04af'], { id: 'mhy2k9x1-04af', force: undefined }],
    [['mhy2k9x1-04af', '--force'], { id: 'mhy2k9x1-04af', force: true }],
  ])('%j', async (argv, input) => {
    expect(await parseInput('undo', ...argv)).toEqual(input);
  });

  test.each([
    [['a', 'b'], /too many arguments/],
    [[''], /OP must be a text that is not empty/],
  ])('%j is refused', async (argv, message) => {
    expect(await usageFault('undo', ...argv)).toMatch(message);
  });
});

async function setup(dir = createUndoDir()) {
  const session: FakeSession = {
    ...createFakeSession(new FakeBroker().store('high', { id: 'a' }, { id: 'b' })),
    undoDir: dir,
  };
  const env = { TQ_UNDO_DIR: dir };
  const { stdout } = await run(['purge', '--all', '--yes', '--json'], { session, env });
  const { undo: id } = JSON.parse(stdout) as { undo: string };
  return { session, env, id };
}

describe('input to output', () => {
  test('it puts back what was removed, and says how to take that back', async () => {
    const { session, env, id } = await setup();
    const ran = await run(['undo', id, '--yes'], { session, env });
    expect(ran).toMatchObject({ exitCode: 0, stdout: `undone\t${id}\nrestored\t2\nmatched\t2\n` });
    expect(ran.stderr).toMatch(/^every job was restored\nundo: tq undo \S+\n$/);
    expect([...session.fake.queue('high').jobs.keys()]).toEqual(['a', 'b']);
  });

  test('--json says all of it; what could not be restored makes the exit code 1', async () => {
    const { session, env, id } = await setup();
    session.fake.store('high', { id: 'b' });
    const ran = await run(['undo', id, '--yes', '--json'], { session, env });
    const message = 'could not be restored: a job of this id is there';
    expect(ran.exitCode).toBe(1);
    expect(JSON.parse(ran.stdout)).toEqual({
      ...{ undone: id, matched: 2, restored: 1, failed: [{ id: 'b', message }], failedCount: 1 },
      ...{ reasons: { [message]: 1 }, isCut: false, undo: expect.any(String) },
    });
  });

  test('a person is asked, after they have seen what would be put back', async () => {
    const { session, env, id } = await setup();
    const ran = await run(['undo', id], { session, env, answer: false });
    expect(ran).toMatchObject({ exitCode: 1, questions: ['Go on?'] });
    expect(ran.stderr).toContain(`would put back 2 jobs of purge-queues ${id}\n`);
    expect(session.fake.queue('high').jobs.size).toBe(0);
  });

  test('without an id it lists what can be undone', async () => {
    const { session, env, id } = await setup();
    const { stdout } = await run(['undo', '--json'], { session, env });
    expect(JSON.parse(stdout)).toMatchObject([{ id, operation: 'purge-queues', jobs: 2, here: true, undoneBy: null }]);
    const empty = await run(['undo'], { session: createFakeSession() });
    expect(empty).toMatchObject({ exitCode: 0, stdout: '', stderr: 'there is nothing to undo\n' });
  });

  test('an id that nobody knows has exit code 3', async () => {
    const { session, env } = await setup();
    const ran = await run(['undo', 'mhy2k9x1-04af', '--yes'], { session, env });
    expect(ran.exitCode).toBe(3);
    expect(ran.stderr).toContain('[UNKNOWN_UNDO]');
  });
});
