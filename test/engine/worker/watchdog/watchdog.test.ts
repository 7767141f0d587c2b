import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitFor } from '../../../support/wait-for.ts';
import { type Channel, createChannel } from '../../broker/channel.ts';

type Line = Record<string, unknown>;

let folder: string;
let release: string;
let children: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tq-watchdog-'));
  release = join(folder, 'release');
  children = [];
});

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function start(how: string, { args = [], flags = [] }: { args?: string[]; flags?: string[] } = {}) {
  const child = fork(new URL('./blocked-worker.ts', import.meta.url), [how, release, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: flags,
  });
  children.push(child);
  return { child, out: readLines(child.stdout as Readable), err: readLines(child.stderr as Readable) };
}

function readLines(stream: Readable): Channel<Line> {
  const lines = createChannel<Line>();
  createInterface({ input: stream }).on('line', (line) =>
    lines.push(line.startsWith('{') ? JSON.parse(line) : { line }),
  );
  return lines;
}

async function find(lines: Channel<Line>, message: string): Promise<Line> {
  for (;;) {
    const line = await lines.next();
    if (String(line['message'] ?? line['msg']).startsWith(message)) return line;
  }
}

const FRAME = expect.stringMatching(/^spinUntilFileExists \(.*blocked-worker\.ts:\d+:\d+\)$/);
const FRAME_OF_NATIVE = expect.stringMatching(/^native \(.*blocked-worker\.ts:\d+:\d+\)$/);

describe('a task that blocks the event loop', () => {
  test('is named in the log while it does, with the place in its code, and once more when the loop is free', async () => {
    const { out } = start('loop');
    const warning = await find(out, 'event loop blocked');
    const task = { task_name: 'busy', task_id: expect.any(String), queue: 'default', attempt: 1 };
    expect(warning).toMatchObject({ level: 'WARN', app: 'shop', ...task, blocked_ms: expect.any(Number) });
    expect(warning['message']).toContain('--pool prefork');
    expect(warning['frames']).toEqual(expect.arrayContaining([FRAME]));
    writeFileSync(release, '');
    const end = await find(out, 'event loop free again');
    expect(end).toMatchObject({ level: 'WARN', task_id: warning['task_id'], blocked_ms: expect.any(Number) });
    expect(end['blocked_ms']).toBeGreaterThanOrEqual(Number(warning['blocked_ms']));
  });

  test('is named when it never ends', async () => {
    const { out } = start('forever');
    const { id } = await find(out, 'called');
    expect(await find(out, 'event loop blocked')).toMatchObject({ task_name: 'busy', task_id: id });
  });

  test('outside JavaScript is guessed from the tasks that run, and seen when it ends', async () => {
    const { out } = start('native');
    const { id } = await find(out, 'called');
    expect(await find(out, 'event loop blocked')).toMatchObject({
      task_id: id,
      task_name: 'busy',
      frames_unknown: 'the block is outside JavaScript',
    });
    writeFileSync(release, '');
    const end = await find(out, 'event loop free again');
    expect(end).toMatchObject({ task_id: id, frames: expect.arrayContaining([FRAME_OF_NATIVE]) });
  });

  test('is only guessed where a debugger may be attached, which a pause would disturb', async () => {
    const { out } = start('loop', { flags: ['--inspect=127.0.0.1:0'] });
    const warning = await find(out, 'event loop blocked');
    expect(warning).toMatchObject({ frames_unknown: 'a debugger may be attached' });
    expect(warning['running']).toHaveLength(2);
    expect(warning['running']).toEqual(expect.arrayContaining([expect.stringMatching(/^busy /)]));
  });

  test('is named in the file that the worker logs to', async () => {
    const file = join(folder, 'worker.log');
    start('forever', { args: [file] });
    const read = (): string | undefined =>
      readFileSync(file, 'utf8')
        .split('\n')
        .find((line) => line.includes('event loop blocked'));
    expect(JSON.parse(await waitFor('the warning in the file', read))).toMatchObject({
      task_name: 'busy',
      app: 'shop',
    });
  });

  test('is named on stderr when the worker has a logger of the application, whose own lines follow after', async () => {
    const { out, err } = start('own-logger');
    expect(await find(err, 'event loop blocked')).toMatchObject({ level: 'WARN', task_name: 'busy' });
    writeFileSync(release, '');
    expect(await find(out, 'event loop free again')).toMatchObject({ mine: true, task_name: 'busy' });
  });
});

test('code of the application that no task runs is found by its place in the code', async () => {
  const { out } = start('outside-a-task');
  const warning = await find(out, 'event loop blocked');
  expect(warning).not.toHaveProperty('task_id');
  expect(warning['frames']).toEqual(expect.arrayContaining([FRAME]));
});

test('the watchdog does not keep a process alive', async () => {
  const { child } = start('watchdog-alone');
  await once(child, 'exit');
});
