import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Values } from '../../src/cli/command.ts';
import { commandIndex } from '../../src/cli/command-index.ts';
import { globalOptions, parseFlags } from '../../src/cli/options.ts';
import { parseCommandLine } from '../../src/cli/program.ts';
import { SETTINGS } from '../../src/engine/config/schema.ts';
import { splitWords } from './split-words.ts';

const commands = await Promise.all(commandIndex.map(async (entry) => ({ entry, command: await entry.load() })));
const named = commands.map((each) => ({ ...each, name: each.entry.name }));
const examples = named.flatMap(({ command }) => command.examples.map((example) => ({ example, command })));

describe('every command', () => {
  test.each(named)('$name says in its file what the index says', ({ entry, command }) => {
    expect({ name: command.name, summary: command.summary }).toEqual({ name: entry.name, summary: entry.summary });
  });

  test.each(named.filter(({ entry }) => entry.hidden !== true))(
    '$name has examples and a help page',
    async ({ name, command }) => {
      expect(command.examples.length).toBeGreaterThan(0);
      const request = await parseCommandLine([...name.split(' '), '--help']);
      const text = request.kind === 'text' ? request.text : '';
      expect(text).toContain(`Usage: tq ${name}`);
      for (const { command: example } of command.examples) expect(text).toContain(example);
      expect(text).toContain('--broker <url>');
    },
  );

  test.each(named)('$name takes no option that a global one has', ({ command }) => {
    const globals = globalOptions.flatMap(({ flags }) => [parseFlags(flags).long, parseFlags(flags).short]);
    for (const { flags } of command.options ?? []) {
      const { short, long } = parseFlags(flags);
      expect(globals).not.toContain(long);
      if (short !== undefined) expect(globals).not.toContain(short);
    }
  });
});

/** What they print says which id undoes it. `tq audit` says it of others. */
const undoable = named.filter(({ name, command }) => name !== 'audit' && command.json?.includes('undo') === true);

test('what can be undone is known', () => {
  expect(undoable.length).toBeGreaterThanOrEqual(11);
});

test.each(undoable)(
  '$name goes without an undo when it is asked to, as UNDO_NOT_KEPT proposes',
  async ({ command }) => {
    expect((command.options ?? []).map(({ flags }) => flags)).toContain('--no-undo');
  },
);

describe('every example', () => {
  test.each(examples)('$example.command', async ({ example, command }) => {
    const [program, ...argv] = splitWords(example.command);
    expect(program).toBe('tq');
    const request = await parseCommandLine(argv);
    if (request.kind !== 'run') throw new Error('it runs no command');
    expect(request.command).toBe(command);
    // A value from stdin is put in by the framework before the command sees it.
    const options = Object.entries(request.values.options).map(([key, value]) => [key, value === '-' ? '{}' : value]);
    const values = deepFreeze({ ...request.values, options: Object.fromEntries(options), timeoutMs: undefined });
    const input = command.toInput(values as Values<never>);
    // Pure: the same values give the same input, at once and without a change to them.
    expect(input).not.toBeInstanceOf(Promise);
    expect(command.toInput(values as Values<never>)).toEqual(input);
  });
});

test('the files of commands that run an operation reach for no I/O of their own', async () => {
  const folder = join(import.meta.dirname, '../../src/cli/commands');
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.ts'));
  const texts = await Promise.all(
    files.map(async (file) => ({ file, text: await readFile(join(folder, file), 'utf8') })),
  );
  const operating = texts.filter(({ text }) => /= define(Command|Control)\(/.test(text));
  expect(operating.length).toBeGreaterThanOrEqual(7);
  for (const { file, text } of operating) {
    expect({
      file,
      found: text.match(/from 'node:|\bprocess\.|\bconsole\.|\bDate\.now|\bsetTimeout|\bfetch\(/g),
    }).toEqual({
      file,
      found: null,
    });
  }
});

test('the global options and their variables are those of the settings', () => {
  const settings = Object.values(SETTINGS).map(({ flag, variable }) => `${flag} ${variable}`);
  for (const { flags, variable } of globalOptions) expect(settings).toContain(`${parseFlags(flags).long} ${variable}`);
});

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
