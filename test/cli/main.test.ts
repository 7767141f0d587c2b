import { describe, expect, test } from 'vitest';
import { readVersion } from '../../src/engine/runtime/version.ts';
import { FakeBroker } from './fake-broker.ts';
import { createFakeSession } from './fake-session.ts';
import { run } from './run-fake.ts';

describe('help', () => {
  test.each([[[]], [['--help']], [['-h']], [['help']]])('%j lists every command and exits 0', async (argv) => {
    const ran = await run(argv);
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    for (const word of ['worker', 'call', 'result', 'inspect', 'jobs', 'purge', 'migrate', 'completion']) {
      expect(ran.stdout).toMatch(new RegExp(`^  ${word} `, 'm'));
    }
    expect(ran.stdout.indexOf('Run:')).toBeLessThan(ran.stdout.indexOf('Look:'));
    expect(ran.stdout).not.toContain('__complete');
  });

  test.each([[['help', 'call']], [['call', '--help']], [['call', '-h']], [['--json', 'call', '--help']]])(
    '%j shows the page of a command',
    async (argv) => {
      const ran = await run(argv);
      expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
      expect(ran.stdout).toMatch(/^Usage: tq call \[options\] <task>[\s\S]*Examples:/);
    },
  );

  test.each([[['inspect', '--help']], [['help', 'inspect']]])('%j lists the commands of a group', async (argv) => {
    expect((await run(argv)).stdout).toMatch(/queues .*[\s\S]*scheduled /);
  });

  test('of a command in a group', async () => {
    expect((await run(['help', 'inspect', 'queues'])).stdout).toMatch(/^Usage: tq inspect queues/);
  });
});

test.each([[['--version']], [['-V']]])('%j prints one line', async (argv) => {
  expect(await run(argv)).toMatchObject({ exitCode: 0, stdout: `tq ${readVersion()}\n`, stderr: '' });
  expect(readVersion()).toMatch(/^\d+\.\d+\.\d+/);
});

describe('a usage fault is told on stderr with exit code 2', () => {
  test.each([
    [['prge'], 'unknown command "prge"; did you mean "purge"? [UNKNOWN_COMMAND]'],
    [['help', 'prge'], 'unknown command "prge"'],
    [['inspect', 'schedule'], 'unknown command "inspect schedule"; did you mean "inspect scheduled"?'],
    [['inspect'], '`tq inspect` needs one more word [USAGE]'],
    [['purge', '--queue', 'a'], '`tq purge` has no option "--queue"; did you mean "--queues"? [UNKNOWN_OPTION]'],
    [['--borker', 'x', 'purge'], '`tq` has no option "--borker"; did you mean "--broker"? [UNKNOWN_OPTION]'],
    [['inspect', 'queues', '--broker'], "option '-b, --broker <url>' argument missing [USAGE]"],
    [['inspect', 'queues', '--log-level', 'loud'], '--log-level must be one of trace'],
    [['inspect', 'queues', '--timeout', '-1s'], '--timeout must be a duration'],
    [['result', ''], 'id: an id has at least one character [USAGE]'],
  ])('%j', async (argv, message) => {
    const ran = await run(argv);
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ran.stderr).toContain(message);
    expect(ran.stderr).toMatch(/^tq: .*\n {4}\S/s);
  });
});

describe('the global options', () => {
  const broker = () => new FakeBroker().store('high', {});

  test('are taken before and after the command', async () => {
    for (const argv of [
      ['--json', 'inspect', 'queues'],
      ['inspect', '--json', 'queues'],
      ['inspect', 'queues', '--json'],
    ]) {
      expect(JSON.parse((await run(argv, { session: createFakeSession(broker()) })).stdout)).toHaveLength(2);
    }
  });

  test('are taken from the environment too, and a flag goes first', async () => {
    const { stdout } = await run(['inspect', 'queues'], {
      session: createFakeSession(broker()),
      env: { TQ_JSON: '1' },
    });
    expect(JSON.parse(stdout)).toHaveLength(2);
  });

  test('a variable of tq that means nothing is told, and stops nothing', async () => {
    const ran = await run(['inspect', 'queues', '--json'], { env: { TQ_BROKER: 'x' } });
    expect(ran.exitCode).toBe(0);
    expect(ran.stderr).toBe('warning: TQ_BROKER is no variable of tq; did you mean TQ_BROKER_URL?\n');
  });
});

describe('an error that tq did not expect', () => {
  const explode = () => createFakeSession(new FakeBroker(), () => Promise.reject(new TypeError('boom \u001b[2J')));

  test('is INTERNAL with exit code 1, without a stack and without control sequences', async () => {
    const ran = await run(['call', 'email.send'], { session: explode() });
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ran.stderr).toContain('boom \\x1b[2J [INTERNAL]');
    expect(ran.stderr).not.toContain('    at ');
  });

  test('shows its stack and its causes under --log-level debug', async () => {
    const { stderr } = await run(['call', 'email.send', '--log-level', 'debug'], { session: explode() });
    expect(stderr).toMatch(/TypeError: boom .*\n {4}at /);
  });

  test('closes the session all the same', async () => {
    const session = explode();
    await run(['call', 'email.send'], { session });
    expect(session.isClosed()).toBe(true);
  });
});
