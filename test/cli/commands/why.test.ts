import { describe, expect, test } from 'vitest';
import { why } from '../../../src/cli/commands/why.ts';
import { openBroker } from '../../../src/engine/broker/open-broker.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';
import { createSqliteUrl } from '../../support/brokers.ts';
import { runTq } from '../../support/tq-command.ts';
import { FakeBroker, NOW } from '../fake-broker.ts';
import { createFakeSession } from '../fake-session.ts';
import { parseInput, usageFault } from '../parse-input.ts';
import { run } from '../run-fake.ts';

describe('argv to input', () => {
  test('takes one id', async () => {
    expect(await parseInput('why', 'x', '--queue', 'mail')).toEqual({ id: 'x', queue: 'mail' });
    expect(await usageFault('why')).toMatch(/missing required argument 'id'/);
  });
});

const ERROR = { name: 'Error', message: 'no\u001b[2J host', code: null, stack: null };

function setup() {
  const broker = new FakeBroker().store('mail', {
    ...{ id: 'x', state: 'RETRY', attempts: 1, dueAt: NOW + 60_000, error: ERROR },
  });
  broker.queue('mail').paused = true;
  return createFakeSession(broker);
}

describe('input to output', () => {
  test('--json prints the fields that its help names, and every reason with code, message, until and next', async () => {
    const ran = await run(['why', 'x', '--json'], { session: setup() });
    const document = JSON.parse(ran.stdout) as { reasons: object[] };
    expect(Object.keys(document).sort()).toEqual([...why.json].sort());
    expect(document).toMatchObject({ id: 'x', state: 'RETRY', task: 'email.send', queue: 'mail' });
    expect(document.reasons).toEqual([
      { code: 'RETRY_DUE', message: expect.any(String), until: NOW + 60_000, next: expect.any(String) },
      expect.objectContaining({ code: 'QUEUE_PAUSED', until: null, next: '`tq queue resume mail`' }),
      expect.objectContaining({ code: 'NO_WORKER' }),
    ]);
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('a terminal shows a paragraph a reason, without control sequences', async () => {
    const { stdout } = await run(['why', 'x', '--no-color'], { session: setup(), columns: 80 });
    expect(stdout).toContain('\nQUEUE_PAUSED\n  queue "mail" is paused: no worker takes jobs of it\n  next   ');
    expect(stdout).toContain('  until  in 1m\n');
    expect(stdout).not.toContain('\u001b');
  });

  test('a pipe has a line a reason', async () => {
    const { stdout } = await run(['why', 'x'], { session: setup() });
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((row) => row.split('\t'));
    expect(rows.slice(0, 4)).toEqual([
      ['id', 'x'],
      ['task', 'email.send'],
      ['queue', 'mail'],
      ['state', 'RETRY'],
    ]);
    expect(rows.slice(4).map(([code]) => code)).toEqual(['RETRY_DUE', 'QUEUE_PAUSED', 'NO_WORKER']);
    expect(rows[4]?.[2]).toBe('2031-05-01T12:01:00.000Z');
  });

  test('a firing says its entry and when it was due', async () => {
    const id = `repeat:nightly:${NOW}`;
    const broker = new FakeBroker().store('mail', { id, state: 'SUCCESS', meta: { schedule: { entry: 'nightly' } } });
    const session = createFakeSession(broker);
    const { stdout } = await run(['why', id], { session });
    expect(stdout).toContain('\nschedule\tnightly\nfiring of\t2031-05-01T12:00:00.000Z\n');
    const json = await run(['why', id, '--json'], { session });
    expect(JSON.parse(json.stdout)).toMatchObject({ id, schedule: { entry: 'nightly', dueAt: NOW } });
  });

  test('an unknown id has exit code 3, and still says why', async () => {
    const ran = await run(['why', 'nope', '--json'], { session: setup() });
    expect(ran.exitCode).toBe(3);
    expect(JSON.parse(ran.stdout)).toMatchObject({ id: 'nope', state: 'UNKNOWN', reasons: [{ code: 'UNKNOWN' }] });
  });

  test('a broker that is away has exit code 69', async () => {
    const session = createFakeSession(new FakeBroker().break());
    expect(await run(['why', 'x'], { session })).toMatchObject({ exitCode: 69, stdout: '' });
  });
});

test('the built command says why a job waits', async () => {
  const url = createSqliteUrl();
  const broker = await openBroker(url, { clock: systemClock });
  await broker.queue('mail').add({ id: 'x', task: 'mail.send', args: [], meta: {}, createdAt: NOW });
  await broker.close();
  const result = await runTq(['why', 'x', '--json', '--broker', url]);
  expect(result.json()).toMatchObject({ id: 'x', state: 'PENDING', reasons: [{ code: 'NO_WORKER' }] });
  expect(result.exitCode).toBe(0);
});
