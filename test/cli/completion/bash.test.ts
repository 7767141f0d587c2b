import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandGroups, commandIndex } from '../../../src/cli/command-index.ts';
import { createScript } from '../../../src/cli/commands/completion.ts';

let folder: string;

/** A shell that has sourced the script, and a tq that knows some names and writes down how it was called. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tq-completion-'));
  await writeFile(
    join(folder, 'tq.bash'),
    await createScript('bash', { commands: commandIndex, groups: commandGroups }),
  );
  const names = ['emails', 'emails-low', 'reports', 'tq@web-1', '$(touch pwned)', 'two words']
    .map((name) => `'${name}'`)
    .join(' ');
  await writeFile(join(folder, 'tq'), `#!/bin/sh\necho "$@" >> calls\nprintf '%s\\n' ${names}\n`);
  await chmod(join(folder, 'tq'), 0o755);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** What bash would offer for these words; the last one is being typed. */
async function complete(...words: string[]): Promise<string[]> {
  const script = `source ./tq.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tq; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await execa('bash', ['--norc', '-c', script, 'bash', './tq', ...words], { cwd: folder });
  expect(stderr).toBe('');
  return stdout === '' ? [] : stdout.split('\n');
}

describe('words', () => {
  test('commands, and none that is hidden', async () => {
    const offered = await complete('');
    expect(offered).toEqual(expect.arrayContaining(['call', 'inspect', 'jobs', 'purge', 'completion']));
    expect(offered).not.toContain('__complete');
    expect(await complete('pu')).toEqual(['purge']);
  });

  test('commands of a group', async () => {
    expect(await complete('inspect', '')).toEqual(expect.arrayContaining(['queues', 'scheduled']));
    expect(await complete('--broker', 'redis://x', 'inspect', 'sch')).toEqual(['scheduled']);
  });

  test('options of the command and the global ones', async () => {
    expect(await complete('purge', '--')).toEqual(expect.arrayContaining(['--queues', '--all', '--dry-run']));
    expect(await complete('purge', '--')).not.toContain('--countdown');
    expect(await complete('call', 't', '--count')).toEqual(['--countdown']);
  });
});

describe('values', () => {
  test('choices of an argument and of an option', async () => {
    expect(await complete('completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(await complete('call', 't', '--log-level', 'de')).toEqual(['debug']);
  });

  test('names from tq, asked with the broker and the app of the line', async () => {
    expect(await complete('-b', 'redis://x', '--app', 'a.ts', 'call', 'rep')).toEqual(['reports']);
    const calls = await execa('tail', ['-n1', 'calls'], { cwd: folder });
    expect(calls.stdout).toBe('-b redis://x --app a.ts __complete tasks');
    expect(await complete('result', 'rep')).toEqual(['reports']);
  });

  test('several queues with commas between them', async () => {
    expect(await complete('purge', '-Q', 'reports,em')).toEqual(['reports,emails', 'reports,emails-low']);
  });

  test('names of workers, which have an @ in them', async () => {
    expect(await complete('inspect', 'ping', '-d', 'reports,tq@w')).toEqual(['reports,tq@web-1']);
    const { stdout } = await execa('bash', ['--norc', '-c', 'source ./tq.bash; printf %s "$COMP_WORDBREAKS"'], {
      cwd: folder,
    });
    expect(stdout).not.toContain('@');
  });

  test('names are quoted and never run', async () => {
    expect(await complete('purge', '-Q', '')).toEqual(
      expect.arrayContaining(['\\$\\(touch\\ pwned\\)', 'two\\ words']),
    );
    const { stdout } = await execa('ls', { cwd: folder });
    expect(stdout).not.toContain('pwned');
  });

  test('files for the app', async () => {
    expect(await complete('--app', 'tq.b')).toEqual(['tq.bash']);
  });

  test('nothing after an option that takes any text, and nothing after the last argument', async () => {
    expect(await complete('call', 't', '--id', '')).toEqual([]);
    expect(await complete('completion', 'bash', 'x')).toEqual([]);
  });
});
