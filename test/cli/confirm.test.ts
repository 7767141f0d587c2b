import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { askOn } from '../../src/cli/confirm.ts';
import { isInteractive } from '../../src/cli/streams.ts';

function setup() {
  const stdin = new PassThrough();
  const stderr = new PassThrough();
  const streams = { stdin, stdout: new PassThrough(), stderr };
  return { stdin, streams, shown: () => String(stderr.read() ?? '') };
}

test.each([
  ['y\n', true],
  ['Yes\n', true],
  ['n\n', false],
  ['\n', false],
  ['yesterday\n', false],
])('%j', async (typed, answer) => {
  const { stdin, streams, shown } = setup();
  const asked = askOn(streams, 'Go on?');
  stdin.write(typed);
  expect(await asked).toBe(answer);
  expect(shown()).toContain('Go on? [y/N] ');
});

test('the end of the input is a no', async () => {
  const { stdin, streams } = setup();
  const asked = askOn(streams, 'Go on?');
  stdin.end();
  expect(await asked).toBe(false);
});

test('somebody can be asked when stdin and stderr are terminals; stdout may be a pipe', () => {
  const { streams } = setup();
  const terminal = Object.assign(new PassThrough(), { isTTY: true });
  expect(isInteractive(streams)).toBe(false);
  expect(isInteractive({ ...streams, stdin: terminal })).toBe(false);
  expect(isInteractive({ ...streams, stdin: terminal, stderr: terminal })).toBe(true);
});
