import { describe, expect, test } from 'vitest';
import { parseInput, usageFault } from './parse-input.ts';

/**
 * How a command that changes many jobs is told which.
 *
 * @param more arguments that it cannot do without, and the input that they give
 */
export function describeChoice(
  command: string,
  kind: 'any' | 'dead',
  more: { readonly argv: readonly string[]; readonly input: Readonly<Record<string, unknown>> } = {
    argv: [],
    input: {},
  },
): void {
  const words = [...command.split(' '), ...more.argv] as [string, ...string[]];
  const own: [string[], object][] =
    kind === 'any'
      ? [
          [['7', '-Q', 'mail'], { ids: ['7'], queue: 'mail' }],
          [['-Q', 'mail'], { where: 'queue:"mail"' }],
          [['--where', 'task:a OR task:b', '-Q', 'a"b'], { where: '(task:a OR task:b) queue:"a\\"b"' }],
        ]
      : [
          [['--all'], { all: true }],
          [['--fingerprint', '1f3870be'], { where: 'fingerprint:"1f3870be"' }],
          [
            ['--where', 'task:a OR task:b', '--fingerprint', '1f3870be'],
            { where: '(task:a OR task:b) fingerprint:"1f3870be"' },
          ],
        ];

  describe(`the jobs of ${command}`, () => {
    test.each<[string[], object]>([
      [['a', 'b'], { ids: ['a', 'b'] }],
      [['--where', 'task:email.*'], { where: 'task:email.*' }],
      ...own,
    ])('%j', async (argv, input) => {
      expect(await parseInput(...words, ...argv)).toMatchObject({ ...input, ...more.input });
    });

    test.each<[string[], RegExp]>([
      [[], /was given no jobs/],
      [['  '], /was given no id/],
      [['a', '--where', 'task:b'], /more than one choice/],
      [['--where', ''], /--where must be a text/],
      [['--where', 'tsk:a'], /there is no field "tsk"; did you mean "task"\?/],
      [['--where', 'task:a) OR (queue:*'], /cannot read the query: .*parenthesis/],
    ])('%j is refused', async (argv, message) => {
      expect(await usageFault(...words, ...argv)).toMatch(message);
    });
  });
}
