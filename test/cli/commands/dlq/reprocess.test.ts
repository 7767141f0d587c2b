import { expect, test } from 'vitest';
import { FakeBroker, NOW } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { describeChoice } from '../../job-choice-rules.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describeChoice('dlq reprocess', 'dead');

test('its options', async () => {
  const argv = [
    '--first',
    '10',
    '--rate',
    '20/s',
    '--stop-if-failing',
    '2.5%',
    '--queue',
    'repair',
    '--patch',
    '{"a":1}',
  ];
  expect(
    await parseInput('dlq', 'reprocess', '--all', ...argv, '--resume', 'mhy2k9x1-04af', '--timeout', '5s'),
  ).toEqual({
    all: true,
    first: 10,
    rate: '20/s',
    stopIfFailing: 2.5,
    patienceMs: 5000,
    to: 'repair',
    patch: { a: 1 },
    resume: 'mhy2k9x1-04af',
  });
});

test.each<[string[], RegExp]>([
  [['--first', '0'], /--first must be a whole number/],
  [['--rate', '20'], /--rate must be a rate such as 10\/s/],
  [['--stop-if-failing', '5'], /--stop-if-failing must be a percentage/],
  [['--stop-if-failing', '101%'], /--stop-if-failing must be a percentage/],
  [['--patch', '7'], /--patch is no JSON object/],
])('%j is refused', async (argv, message) => {
  expect(await usageFault('dlq', 'reprocess', '--all', ...argv)).toMatch(message);
});

function setup(count: number) {
  const broker = new FakeBroker();
  for (let index = 0; index < count; index += 1) broker.store('mail', { id: `d${index}`, state: 'FAILURE' });
  return { broker, session: createFakeSession(broker) };
}

test('it says how many went back', async () => {
  const { session } = setup(3);
  expect(await run(['dlq', 'reprocess', '--all', '--first', '2', '--yes'], { session })).toMatchObject({
    exitCode: 0,
    stdout: 'sent 2 of 2 dead letters back to work\n',
  });
});

test('when it stops it says why, and how to go on', async () => {
  let ticks = 0;
  const clock = { now: () => NOW, monotonic: () => ticks++ };
  const argv = ['dlq', 'reprocess', '--all', '--stop-if-failing', '5%', '--timeout', '1ms', '--yes'];
  const ran = await run(argv, { session: { ...setup(3).session, clock } });
  expect(ran.exitCode).toBe(1);
  expect(ran.stdout).toContain('of them 0 succeeded, 0 failed, 3 have not ended\n');
  expect(ran.stderr).toMatch(
    /nobody runs them: 3 wait.*to go on: the same command with --resume [0-9a-z]{8}-[0-9a-z]{4}/s,
  );
});

test.each([[], ['--stop-if-failing', '5%']])('without dead letters there is nothing to do', async (...more) => {
  const { session } = setup(0);
  const ran = await run(['dlq', 'reprocess', '--where', 'queue:mail', '--yes', ...more], { session });
  expect(ran).toMatchObject({ exitCode: 0, stdout: 'no dead letter fits\n' });
});
