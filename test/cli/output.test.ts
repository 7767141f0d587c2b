import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createOutput } from '../../src/cli/output.ts';
import { row } from '../../src/cli/presentation.ts';
import { FakeBroker } from './fake-broker.ts';
import { createFakeSession } from './fake-session.ts';
import { run } from './run-fake.ts';

const session = () => createFakeSession(new FakeBroker().store('high', { state: 'FAILURE' }));
const inspect = (argv: string[], given: { columns?: number; env?: Record<string, string> } = {}) =>
  run(['inspect', 'queues', ...argv], { session: session(), ...given });

describe('colours', () => {
  test.each([
    ['a terminal has them', [], { columns: 100 }, true],
    ['a pipe has none', [], {}, false],
    ['--no-color', ['--no-color'], { columns: 100 }, false],
    ['NO_COLOR', [], { columns: 100, env: { NO_COLOR: '1' } }, false],
    ['NO_COLOR goes before FORCE_COLOR', [], { columns: 100, env: { NO_COLOR: '1', FORCE_COLOR: '1' } }, false],
    ['FORCE_COLOR=0', [], { columns: 100, env: { FORCE_COLOR: '0' } }, false],
  ] as const)('%s', async (_title, argv, given, colours) => {
    expect((await inspect([...argv], given)).stdout.includes('\u001b[')).toBe(colours);
  });

  test('--json has none, not even on a terminal', async () => {
    expect((await inspect(['--json'], { columns: 100 })).stdout).not.toContain('\u001b');
  });
});

describe('--json', () => {
  test('is one line in a pipe and indented on a terminal, the same document', async () => {
    const piped = (await inspect(['--json'])).stdout;
    const shown = (await inspect(['--json'], { columns: 100 })).stdout;
    expect(piped.trimEnd()).not.toContain('\n');
    expect(shown).toContain('\n  {\n');
    expect(JSON.parse(shown)).toEqual(JSON.parse(piped));
  });

  test('escapes what a terminal would obey, and stays the same document', async () => {
    const name = 'a\u009b31m\u202eb';
    const { stdout } = await run(['inspect', 'queues', '--json'], {
      session: createFakeSession(new FakeBroker().store(name)),
      columns: 100,
    });
    expect(stdout).not.toMatch(/[\u009b\u202e]/);
    expect(JSON.parse(stdout)[0].queue).toBe(name);
  });
});

test('--quiet leaves out notes, but nothing that went wrong', async () => {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const clock = { now: () => 0, monotonic: () => 0 };
  const output = await createOutput(streams, { json: true, quiet: true, color: false, clock });
  output.print({ json: {}, blocks: [], notes: ['a note'], problems: ['a: it failed'] });
  expect(streams.stderr.read().toString()).toBe('a: it failed\n');
});

test('a narrow terminal cuts long names, and no line is wider than it', async () => {
  const long = new FakeBroker().store('a-very-long-name-of-a-queue-that-nobody-can-read-in-one-go');
  const { stdout } = await run(['inspect', 'queues', '--no-color'], { session: createFakeSession(long), columns: 100 });
  expect(stdout).toContain('a-very-');
  expect(stdout).toContain('…');
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});

test('a pipe cuts nothing', async () => {
  const name = 'q'.repeat(300);
  const { stdout } = await run(['inspect', 'queues'], { session: createFakeSession(new FakeBroker().store(name)) });
  expect(stdout).toContain(`${name}\t`);
});

describe('a stream of events', () => {
  const event = {
    json: { at: 1 },
    blocks: [row({ text: '1s', tone: 'faint', width: -4 }, { text: 'a\u001b[2Jb', tone: 'bad' })],
  };

  /** What an event is written as: on a terminal of 80 columns, or in a pipe. */
  async function write(options: { json: boolean; isTTY: boolean; color?: boolean }): Promise<string> {
    const stdout = Object.assign(new PassThrough(), options.isTTY && { isTTY: true, columns: 80 });
    const streams = { stdin: new PassThrough(), stdout, stderr: new PassThrough() };
    const clock = { now: () => 0, monotonic: () => 0 };
    (await createOutput(streams, { json: options.json, quiet: true, color: options.color, clock })).stream(event);
    return stdout.read().toString();
  }

  test('is one JSON document a line, also on a terminal', async () => {
    for (const isTTY of [true, false]) expect(await write({ json: true, isTTY })).toBe('{"at":1}\n');
  });

  test('has aligned cells on a terminal, in colour, and tabs between them in a pipe', async () => {
    expect(await write({ json: false, isTTY: true, color: false })).toBe('  1s  a\\x1b[2Jb\n');
    expect(await write({ json: false, isTTY: true })).toBe('\u001b[2m  1s\u001b[22m  \u001b[31ma\\x1b[2Jb\u001b[39m\n');
    expect(await write({ json: false, isTTY: false })).toBe('1s\ta\\x1b[2Jb\n');
  });
});
