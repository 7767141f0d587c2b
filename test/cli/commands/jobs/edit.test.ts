import { expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { describeChoice } from '../../job-choice-rules.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describeChoice('jobs edit', 'any', { argv: ['--priority', '3'], input: { priority: 3 } });

test.each<[string[], object]>([
  [['--patch', '{"to":null}'], { patch: { to: null } }],
  [['--args', '[1]'], { args: [1] }],
  [['--eta', '2031-05-01T12:00:00Z'], { dueAt: Date.parse('2031-05-01T12:00:00Z') }],
])('%j', async (argv, input) => {
  expect(await parseInput('jobs', 'edit', 'a', ...argv)).toMatchObject(input);
});

test.each<[string[], RegExp]>([
  [['--patch', '[1]'], /--patch is no JSON object/],
  [['--patch', '{'], /--patch is not JSON/],
  [['--args', '{}'], /--args is no JSON array/],
  [['--priority', '10'], /--priority must be a whole number from 0 to 9/],
  [['--eta', 'soon'], /--eta must be an ISO 8601 date/],
])('%j is refused', async (argv, message) => {
  expect(await usageFault('jobs', 'edit', 'a', ...argv)).toMatch(message);
});

test('a dry run shows the differences', async () => {
  const session = createFakeSession(new FakeBroker().store('mail', { id: 'w', args: [{ to: 'a' }] }));
  const ran = await run(['jobs', 'edit', 'w', '--patch', '{"to":"b"}', '--dry-run'], { session });
  expect(ran.stdout).toBe('would change 1 job\nw\targs.0.to\t"a"\t"b"\t\n');
});
