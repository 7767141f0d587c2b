import { describe, expect, test } from 'vitest';
import { doctor } from '../../../src/cli/commands/doctor.ts';
import { openBroker } from '../../../src/engine/broker/open-broker.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';
import { createSqliteUrl } from '../../support/brokers.ts';
import { runTq } from '../../support/tq-command.ts';
import { FakeBroker, NOW } from '../fake-broker.ts';
import { createFakeSession } from '../fake-session.ts';
import { parseInput } from '../parse-input.ts';
import { run } from '../run-fake.ts';

describe('argv to input', () => {
  test('takes no arguments', async () => {
    expect(await parseInput('doctor')).toEqual({});
    expect(await parseInput('doctor', '--fix')).toEqual({});
  });
});

function setup() {
  const broker = new FakeBroker().store('mail', {});
  broker.checkup.leftovers.set('mail', { strayKeys: [{ key: 'k\u001b[2J', holder: 'x' }] });
  return createFakeSession(broker);
}

describe('input to output', () => {
  test('--json prints a list of checks; a failed one has exit code 1', async () => {
    const ran = await run(['doctor', '--json', '--quiet'], { session: setup() });
    const findings = JSON.parse(ran.stdout) as Record<string, unknown>[];
    for (const finding of findings) expect(Object.keys(finding)).toEqual(doctor.json);
    expect(findings).toContainEqual(expect.objectContaining({ check: 'unserved-queues', status: 'failed' }));
    expect(ran).toMatchObject({ exitCode: 1, stderr: '' });
  });

  test('warnings are no failure', async () => {
    const broker = new FakeBroker();
    broker.checkup.time = NOW + 5000;
    const ran = await run(['doctor'], { session: createFakeSession(broker) });
    expect(ran.exitCode).toBe(0);
    expect(ran.stderr).toContain('0 failed, 1 warnings, 0 skipped, 5 ok');
  });

  test('a terminal shows what to do below each finding, without control sequences', async () => {
    const { stdout } = await run(['doctor', '--no-color'], { session: setup(), columns: 80 });
    expect(stdout).toMatch(/^failed {3}unserved-queues +1 job waits in queue "mail".*\n +fix: start a worker/m);
    expect(stdout).not.toContain('\u001b');
  });

  test('a pipe has a line a finding', async () => {
    const { stdout } = await run(['doctor'], { session: setup() });
    const rows = stdout
      .split('\n')
      .slice(0, -1)
      .map((row) => row.split('\t').length);
    expect(new Set(rows)).toEqual(new Set([4]));
  });

  test('--fix asks, says what it removed, and shows what is left', async () => {
    const session = setup();
    const refused = await run(['doctor', '--fix'], { session });
    expect(refused.exitCode).not.toBe(0);
    expect(session.fake.changes).toEqual([]);
    const ran = await run(['doctor', '--fix', '--yes'], { session });
    expect(ran.stderr).toContain('removed 1 unique keys without a job');
    expect(ran.stdout).toMatch(/^unique-keys\tok/m);
  });

  test('a broker that is away has exit code 69', async () => {
    const session = createFakeSession(new FakeBroker().break());
    expect(await run(['doctor'], { session })).toMatchObject({ exitCode: 69, stdout: '' });
  });
});

test('the built command finds the queue that nobody serves', async () => {
  const url = createSqliteUrl();
  const broker = await openBroker(url, { clock: systemClock });
  await broker.queue('mail').add({ id: 'x', task: 'mail.send', args: [], meta: {}, createdAt: NOW });
  await broker.close();
  const result = await runTq(['doctor', '--json', '--broker', url]);
  expect(result.exitCode).toBe(1);
  const failures = (result.json() as { check: string; status: string }[]).filter(({ status }) => status === 'failed');
  expect(failures).toEqual([expect.objectContaining({ check: 'unserved-queues' })]);
});
