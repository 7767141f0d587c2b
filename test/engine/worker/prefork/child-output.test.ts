import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { logOutput } from '../../../../src/engine/worker/prefork/child-output.ts';
import { recordLog } from '../recorded.ts';

function setUp({ name = 'stdout' }: { name?: 'stdout' | 'stderr' } = {}) {
  const stream = new PassThrough();
  const log = recordLog();
  let job = 'job-1';
  let full: PromiseWithResolvers<void> | undefined;
  const output = logOutput(stream, {
    name,
    logger: log.logger,
    relay: { whenFull: () => full?.promise },
    fields: () => ({ task_id: job }),
  });
  return {
    stream,
    log,
    output,
    async write(...pieces: readonly (string | Buffer)[]) {
      for (const piece of pieces) {
        stream.write(piece);
        await nextTurn();
      }
    },
    async end() {
      stream.end();
      await nextTurn();
    },
    changeJob: (id: string) => {
      job = id;
    },
    fill() {
      const gate = Promise.withResolvers<void>();
      full = gate;
      return () => {
        full = undefined;
        gate.resolve();
      };
    },
  };
}

describe('what a child prints', () => {
  test('is logged line for line with the job that runs', async () => {
    const { write, log, changeJob } = setUp();
    await write('one\ntwo\nthr');
    changeJob('job-2');
    await write('ee\n');
    expect(log.lines).toMatchObject([
      { level: 'INFO', message: 'one', stream: 'stdout', task_id: 'job-1' },
      { level: 'INFO', message: 'two', stream: 'stdout', task_id: 'job-1' },
      { level: 'INFO', message: 'three', stream: 'stdout', task_id: 'job-2' },
    ]);
  });

  test('on stderr is a warning, and its end is kept', async () => {
    const { write, log, output } = setUp({ name: 'stderr' });
    await write('x'.repeat(5000), '\nlast words\n');
    expect(log.lines.at(-1)).toMatchObject({ level: 'WARN', message: 'last words', stream: 'stderr' });
    expect(output.tail).toHaveLength(4096);
    expect(output.tail).toMatch(/x\nlast words\n$/);
  });

  test('cannot steer a terminal or fake a line, and characters survive being cut between two reads', async () => {
    const { write, log } = setUp();
    const bytes = Buffer.from('Grüße \u001b[2J\rx\r\n');
    await write(bytes.subarray(0, 3), bytes.subarray(3));
    expect(log.messages).toEqual(['Grüße \\x1b[2J\\rx']);
  });

  test('without an end is logged when the job ends, and when the process does', async () => {
    const { write, end, log, output } = setUp();
    await write('no end');
    expect(log.messages).toEqual([]);
    output.flush();
    await write('nor here');
    await end();
    expect(log.messages).toEqual(['no end', 'nor here']);
  });

  test('in a very long line is cut, and the rest is counted and not kept', async () => {
    const { write, log } = setUp();
    for (let piece = 0; piece < 100; piece += 1) await write('x'.repeat(1000));
    await write('y\nnext\n');
    expect(log.messages).toHaveLength(2);
    expect(log.messages[0]).toMatch(/^x{8192}… \(91809 characters left out\)$/);
    expect(log.messages[1]).toBe('next');
  });

  test('as nothing but space is not logged', async () => {
    const { write, log } = setUp();
    await write('\n  \n\r\na\n');
    expect(log.messages).toEqual(['a']);
  });

  test('below the level of the log is read and not logged', async () => {
    const { write, log } = setUp();
    log.logger.level = 'warn';
    await write('quiet\n');
    expect(log.messages).toEqual([]);
  });

  test('waits in its pipe while the log waits for a slow reader', async () => {
    const { write, log, fill, stream } = setUp();
    const drain = fill();
    await write('one\n');
    await write('two\n', 'three\n');
    expect(log.messages).toEqual(['one']);
    expect(stream.readableLength).toBeGreaterThan(0);
    drain();
    await nextTurn();
    await nextTurn();
    expect(log.messages).toEqual(['one', 'two', 'three']);
  });
});
