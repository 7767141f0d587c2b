import { describe, expect, test } from 'vitest';
import { parseInput, usageFault } from '../parse-input.ts';
import { run } from '../run-fake.ts';

describe('argv to input', () => {
  test('takes one of three shells', async () => {
    expect(await parseInput('completion', 'zsh')).toBe('zsh');
    expect(await usageFault('completion')).toMatch(/missing required argument 'shell'/);
    expect(await usageFault('completion', 'csh')).toMatch(/Allowed choices are bash, zsh, fish/);
  });
});

describe('input to output', () => {
  test.each([
    ['bash', 'complete -F _tq tq'],
    ['zsh', '#compdef tq'],
    ['fish', 'complete -c tq'],
  ])('prints the script of %s as it is, on a terminal and in a pipe', async (shell, text) => {
    const piped = await run(['completion', shell]);
    expect(piped).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringContaining(text) });
    expect((await run(['completion', shell], { columns: 80 })).stdout).toBe(piped.stdout);
    expect(JSON.parse((await run(['completion', shell, '--json'])).stdout)).toEqual({ shell, script: piped.stdout });
  });

  test('needs no settings: it works where they are wrong', async () => {
    expect(await run(['completion', 'bash'], { env: { TQ_TIMEOUT: 'soon' } })).toMatchObject({ exitCode: 0 });
  });
});
