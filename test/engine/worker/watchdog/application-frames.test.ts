import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { formatApplicationFrames } from '../../../../src/engine/worker/watchdog/application-frames.ts';

const frame = (name: string, url: string, line = 1) => ({ name, url, line, column: 2 });
const engine = new URL('../../../../src/engine/worker/executor.ts', import.meta.url).href;

test('frames are shown with their files, without those of Node and of code without a file', () => {
  const frames = [
    frame('readFileSync', 'node:fs'),
    frame('parse', 'file:///srv/app/a%20b.js', 7),
    frame('', 'file:///srv/app/node_modules/lib/index.js'),
    frame('eval', ''),
    frame('plain', '/srv/app/plain.cjs'),
    frame('odd', 'file://%'),
  ];
  expect(formatApplicationFrames(frames)).toEqual([
    'parse (/srv/app/a b.js:7:2)',
    '<anonymous> (/srv/app/node_modules/lib/index.js:1:2)',
    'plain (/srv/app/plain.cjs:1:2)',
    'odd (file://%:1:2)',
  ]);
});

test('what called the task function is left out, and of a deep stack all but the innermost five', () => {
  const deep = Array.from({ length: 9 }, (_, index) => frame(`f${index}`, 'file:///srv/app/deep.js'));
  expect(formatApplicationFrames(deep)).toHaveLength(5);
  const below = [
    frame('task', 'file:///srv/app/task.js'),
    frame('perform', engine),
    frame('x', 'file:///srv/app/x.js'),
  ];
  expect(formatApplicationFrames(below)).toEqual(['task (/srv/app/task.js:1:2)']);
  expect(formatApplicationFrames([frame('perform', fileURLToPath(engine))])).toEqual([]);
});
