import { describe, expect, test } from 'vitest';
import { formatDeclared } from '../../../../src/engine/schedule/declared-entry.ts';
import { define } from '../../../support/entry-definitions.ts';
import { FakeBroker, NOW } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';
import { schedulesOf, storeEntries } from '../../stored-entries.ts';

test('takes the name of an entry', async () => {
  expect(await parseInput('schedule', 'show', 'a')).toEqual({ name: 'a' });
  expect(await usageFault('schedule', 'show')).toMatch(/missing required argument/);
});

const ENTRY = { task: 'report', every: '1h', missed: { policy: 'all', within: '2h', atMost: 50 } } as const;

describe('input to output', () => {
  test('people see a sheet, the next due times and what is missing', async () => {
    const broker = new FakeBroker();
    await storeEntries(broker, { a: ENTRY });
    const { stdout, stderr } = await run(['schedule', 'show', 'a', '--no-color'], {
      session: createFakeSession(broker),
      columns: 100,
    });
    expect(stdout).toMatch(/^fires +every hour$/m);
    expect(stdout).toMatch(/^missed +all within 2h, 50 at most$/m);
    expect(stdout).toMatch(/^next +in 1h {2}2031-05-01T13:00:00.000Z$/m);
    expect(stdout).toMatch(new RegExp(`^next job +repeat:a:${NOW + 3_600_000}$`, 'm'));
    expect(stdout).toMatch(/^in 5h +2031-05-01 17:00 +\+00:00/m);
    expect(stdout).not.toContain('operator has changed');
    expect(stderr).toContain('no beat leads');
  });

  test('an edited entry shows where it differs from the code', async () => {
    const broker = new FakeBroker();
    const declared = formatDeclared({ definition: define(ENTRY, 'a'), enabled: true });
    await storeEntries(broker, { a: ENTRY }, { source: 'code', declared });
    await schedulesOf(broker).add('a', define({ ...ENTRY, every: '2h' }, 'a'), { replace: true });
    const { stdout } = await run(['schedule', 'show', 'a', '--no-color'], {
      session: createFakeSession(broker),
      columns: 100,
    });
    expect(stdout).toContain('an operator has changed what code declares');
    expect(stdout).toMatch(/^schedule +every hour \(UTC\) +every 2 hours \(UTC\)$/m);
  });

  test('of a paused entry says how it fires again', async () => {
    const broker = new FakeBroker();
    await storeEntries(broker, { a: ENTRY });
    await schedulesOf(broker).pause('a');
    const { stderr } = await run(['schedule', 'show', 'a'], { session: createFakeSession(broker) });
    expect(stderr).toContain('it is paused: `tq schedule resume a` lets it fire');
  });

  test('--json has every field, and an unknown name has exit code 3', async () => {
    const broker = new FakeBroker();
    await storeEntries(broker, { a: ENTRY });
    const session = createFakeSession(broker);
    const { stdout } = await run(['schedule', 'show', 'a', '--json'], { session });
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'a',
      when: { every: 3_600_000 },
      differences: [],
      lastState: null,
    });
    expect(await run(['schedule', 'show', 'b'], { session })).toMatchObject({ exitCode: 3, stdout: '' });
  });
});
