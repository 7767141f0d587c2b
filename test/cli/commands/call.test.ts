import { describe, expect, test } from 'vitest';
import { FakeBroker, NOW } from '../fake-broker.ts';
import { createFakeSession } from '../fake-session.ts';
import { parseInput, usageFault } from '../parse-input.ts';
import { run } from '../run-fake.ts';

describe('argv to input', () => {
  test.each([
    [['t'], { task: 't', args: [] }],
    [['t', '--args', '[1, "a"]'], { args: [1, 'a'] }],
    [['t', '--input', '{"to": "a"}'], { args: [{ to: 'a' }] }],
    [['t', '--input', 'null'], { args: [null] }],
    [['t', '--queue', 'q', '--priority', '9'], { queue: 'q', priority: 9 }],
    [['t', '--countdown', '1m30s'], { countdownMs: 90_000 }],
    [['t', '--eta', '2031-05-01T12:00:00Z'], { etaAt: NOW }],
    [['t', '--expires', '1h'], { expiresMs: 3_600_000 }],
    [['t', '--expires', '2031-05-01T14:00:00+02:00'], { expiresAt: NOW }],
    [['t', '--id', 'mine'], { id: 'mine' }],
    [['t', '--header', 'a=b', '--header', '__proto__=c=d'], { headers: JSON.parse('{"a": "b", "__proto__": "c=d"}') }],
    [['t', '--wait', '--timeout', '5s'], { wait: true, timeoutMs: 5000 }],
  ])('%j', async (argv, input) => {
    expect(await parseInput('call', ...argv)).toMatchObject(input);
  });

  test.each([
    [[], /missing required argument 'task'/],
    [['t', 'u'], /too many arguments/],
    [['t', '--args', '[1,]'], /--args is not JSON: expected a value at position 3, got "\]": \[1,▸\]/],
    [['t', '--args', ''], /--args is not JSON: expected a value at position 0, got the end/],
    [['t', '--args', '{"a": 1}'], /--args must be a JSON array, got an object/],
    [['t', '--args', '"a"'], /--args must be a JSON array, got a string/],
    [['t', '--args', 'null'], /--args must be a JSON array, got null/],
    [['t', '--input', "{to: 'a'}"], /--input is not JSON: expected a name in double quotes or "}" at position 1/],
    [['t', '--args', '[]', '--input', '1'], /--args and --input were both given/],
    [['t', '--countdown', '1s', '--eta', '2031-05-01'], /--countdown and --eta were both given/],
    [['t', '--countdown', '-5s'], /--countdown must be a duration .*, got "-5s"/],
    [['t', '--countdown', '5'], /--countdown must be a duration .*, got "5"/],
    [['t', '--expires', '4000d'], /--expires must be a duration .*, got "4000d"/],
    [['t', '--eta', 'tomorrow'], /--eta must be an ISO 8601 date .*, got "tomorrow"/],
    [['t', '--eta', '2031-13-45'], /--eta must be an ISO 8601 date/],
    [['t', '--priority', '10'], /--priority must be a whole number from 0 to 9, got "10"/],
    [['t', '--priority', '1.5'], /--priority must be a whole number/],
    [['t', '--header', 'novalue'], /--header must be name=value, got "novalue"/],
    [['t', '--header', '=v'], /--header must be name=value/],
    [['t', '--queue', ''], /--queue must be a text that is not empty/],
    [['t', '--agrs', '[]'], /has no option "--agrs"; did you mean "--args"/],
  ])('%j is refused', async (argv, message) => {
    expect(await usageFault('call', ...argv)).toMatch(message);
  });
});

describe('input to output', () => {
  test('prints the id, and nothing else on stdout', async () => {
    for (const columns of [undefined, 80]) {
      const ran = await run(['call', 'email.send', '--id', 'mine'], columns === undefined ? {} : { columns });
      expect(ran).toMatchObject({ exitCode: 0, stdout: 'mine\n', stderr: '' });
    }
  });

  test('--json prints the job', async () => {
    const { exitCode, stdout } = await run(['call', 'email.send', '--countdown', '1m', '--id', 'mine', '--json']);
    expect(JSON.parse(stdout)).toEqual({
      ...{ id: 'mine', task: 'email.send', queue: 'high', state: 'SCHEDULED', duplicate: false },
    });
    expect(exitCode).toBe(0);
  });

  test('a unique call for which a job is there prints the id of that one, and says so on stderr', async () => {
    const session = createFakeSession();
    session.fakeApp.unique = 'email.send x';
    await run(['call', 'email.send', '--id', 'first'], { session });
    expect(await run(['call', 'email.send', '--id', 'second'], { session })).toMatchObject({
      exitCode: 0,
      stdout: 'first\n',
      stderr: 'nothing was stored: this job with the same unique key is there already and is PENDING\n',
    });
    const { stdout } = await run(['call', 'email.send', '--id', 'third', '--json'], { session });
    expect(JSON.parse(stdout)).toMatchObject({ id: 'first', duplicate: true });
  });

  test('--input - reads the argument from stdin', async () => {
    const session = createFakeSession();
    await run(['call', 'email.send', '--input', '-'], { session, stdin: '{"to": "ü@example.com"}\n' });
    expect(session.fakeApp.sent[0]?.args).toEqual([{ to: 'ü@example.com' }]);
  });

  test('malformed JSON on stdin is refused with its place', async () => {
    const ran = await run(['call', 'email.send', '--input', '-'], { stdin: '{"to": }' });
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ran.stderr).toContain('expected a value at position 7, got "}": {"to": ▸}');
  });

  test('--wait prints the result and ends with its exit code', async () => {
    const error = { name: 'TypeError', message: 'no', code: null, stack: null };
    const broker = new FakeBroker().store('high', { id: 'x', state: 'FAILURE', error });
    const ran = await run(['call', 'email.send', '--id', 'x', '--wait', '--json'], {
      session: createFakeSession(broker),
    });
    expect(ran.exitCode).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({ id: 'x', state: 'FAILURE', error, attempts: 0 });
  });

  test('--wait that is over too early has exit code 4', async () => {
    const ran = await run(['call', 'email.send', '--wait', '--timeout', '1s', '--json']);
    expect(ran.exitCode).toBe(4);
    expect(JSON.parse(ran.stdout)).toMatchObject({ state: 'PENDING' });
  });

  test('--dry-run says where it would go and enqueues nothing', async () => {
    const session = createFakeSession();
    const ran = await run(['call', 'email.send', '--dry-run', '--json'], { session });
    expect(JSON.parse(ran.stdout)).toEqual({
      ...{ dryRun: true, operation: 'call', summary: 'would call task "email.send" on queue "high"', count: 0 },
      rows: [{ task: 'email.send', queue: 'high' }],
    });
    expect(session.fake.changes).toEqual([]);
  });

  test('a misspelt task has exit code 2 and the nearest name', async () => {
    const ran = await run(['call', 'email.sned']);
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ran.stderr).toContain('did you mean "email.send"? [UNKNOWN_TASK]');
  });

  test('a broker that is away has exit code 69', async () => {
    const ran = await run(['call', 'email.send'], { session: createFakeSession(new FakeBroker().break()) });
    expect(ran).toMatchObject({ exitCode: 69, stdout: '' });
    expect(ran.stderr).toContain('[BROKER_UNAVAILABLE]');
  });
});
