import { describe, expect, test } from 'vitest';
import { AuditLog } from '../../../src/ops/audit-log.ts';
import { createRecord } from '../../ops/audit-records.ts';
import { FakeBroker } from '../fake-broker.ts';
import { createFakeSession } from '../fake-session.ts';
import { parseInput, usageFault } from '../parse-input.ts';
import { run } from '../run-fake.ts';

describe('argv to input', () => {
  test.each([
    [[], { where: undefined, limit: 50 }],
    [['--where', 'user:ada age<1d', '--limit', '7'], { where: 'user:ada age<1d', limit: 7 }],
  ])('%j', async (argv, input) => {
    expect(await parseInput('audit', ...argv)).toEqual(input);
  });

  test.each([
    [['--where', 'usr:ada'], /there is no field "usr"; did you mean "user"/],
    [['--limit', '0'], /--limit must be a whole number from 1 to 10000/],
    [['x'], /too many arguments/],
  ])('%j is refused', async (argv, message) => {
    expect(await usageFault('audit', ...argv)).toMatch(message);
  });
});

describe('input to output', () => {
  test('what a command did is there afterwards, with who did it', async () => {
    const session = createFakeSession(new FakeBroker().store('high', {}, {}));
    await run(['purge', '--all', '--yes'], { session });
    const { stdout } = await run(['audit', '--json'], { session });
    expect(JSON.parse(stdout)).toEqual([
      {
        ...{ id: expect.any(String), operation: 'purge-queues', command: 'tq purge --all --yes' },
        ...{ user: expect.any(String), host: expect.any(String), profile: null },
        ...{ at: session.clock.now(), endedAt: session.clock.now(), end: 'done', planned: 2, changed: 2 },
        ...{ error: null, undoneBy: null, undo: expect.any(String) },
      },
    ]);
  });

  test('a pipe gets a line a run, and a note where there is none', async () => {
    const session = createFakeSession();
    expect(await run(['audit'], { session })).toMatchObject({
      ...{ exitCode: 0, stdout: '', stderr: 'nothing was changed yet, or the audit is of another broker\n' },
    });
    await new AuditLog(session.fake.state).write(createRecord('mhy2k9x1-04af'));
    const { stdout } = await run(['audit'], { session });
    expect(stdout).toBe('1970-01-01T00:00:01.000Z\tmhy2k9x1-04af\tada\tbox\t\ttq purge --all --yes\tdone\t3\t\t\n');
  });
});
