import { expect, test } from 'vitest';
import { createBeatBoard } from '../../../../src/engine/worker/watchdog/beat-board.ts';

const task = (id: string) => ({ id, task: `send ${id} ✓` });

/** What another thread sees. */
function setUp() {
  const board = createBeatBoard();
  return { board, seen: createBeatBoard(board.memory) };
}

test('a beat is seen with the tasks that run and whether a debugger may be attached', () => {
  const { board, seen } = setUp();
  expect(seen).toMatchObject({ beats: 0, debuggable: false, running: [] });
  board.beat({ debuggable: true, running: [task('a'), task('b')] });
  expect(seen).toMatchObject({ beats: 1, debuggable: true, running: [task('a'), task('b')] });
  board.beat({ debuggable: false, running: [] });
  expect(seen).toMatchObject({ beats: 2, debuggable: false, running: [] });
});

test('tasks that started since the last beat are seen, the newest first', () => {
  const { board, seen } = setUp();
  board.beat({ debuggable: false, running: [task('a')] });
  board.noteStart(task('b'));
  board.noteStart(task('c'));
  expect(seen.running).toEqual([task('c'), task('b'), task('a')]);
  board.beat({ debuggable: false, running: [task('a')] });
  expect(seen.running).toEqual([task('a')]);
});

test('of very many tasks and very long names, those that fit are seen whole', () => {
  const { board, seen } = setUp();
  board.beat({ debuggable: false, running: Array.from({ length: 50 }, (_, index) => task(String(index))) });
  expect(seen.running).toHaveLength(20);
  board.beat({ debuggable: false, running: [task('a'), task('x'.repeat(20_000))] });
  expect(seen.running).toEqual([task('a')]);
  for (let index = 0; index < 1000; index += 1) board.noteStart(task(`n${index}`));
  expect(seen.running[0]).toEqual(task('n999'));
  board.noteStart(task('y'.repeat(5000)));
  expect(seen.running).toEqual([task('a')]);
});
