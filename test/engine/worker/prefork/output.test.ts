import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createLogger } from '../../../../src/engine/runtime/logger.ts';
import { recordLog } from '../recorded.ts';
import { startPool } from './prefork-setup.ts';

const FIELDS = {
  task_id: 'job-1',
  task_name: 'talk',
  queue: 'default',
  attempt: 1,
  request_id: 'r-1',
  worker: 'tq@test',
};
const META = { requestId: 'r-1' };

describe('what a task says', () => {
  test('reaches the log of the worker with the ids of its job, whether it logs or prints', async () => {
    const { perform, line } = await startPool();
    await perform('talk', { meta: META });
    expect(await line({ message: 'logged' })).toMatchObject({ ...FIELDS, level: 'INFO', step: 1 });
    expect(await line({ message: 'printed' })).toMatchObject({ ...FIELDS, level: 'INFO', stream: 'stdout' });
    expect(await line({ message: 'complained' })).toMatchObject({ ...FIELDS, level: 'WARN', stream: 'stderr' });
    expect(await line({ message: '\\x1b[31mred' })).toMatchObject(FIELDS);
    expect(await line({ message: 'no end' })).toMatchObject(FIELDS);
    expect(await line({ message: 'task succeeded' })).toMatchObject({ ...FIELDS, duration_ms: expect.any(Number) });
  });

  test('below the level of the log is not even sent', async () => {
    const { logger } = recordLog();
    logger.level = 'info';
    const written: string[] = [];
    const destination = new Writable({
      decodeStrings: false,
      write(text: string, _, done) {
        written.push(text);
        done();
      },
    });
    const { perform } = await startPool({ logger: createLogger({ level: 'warn', destination }).log });
    await perform('talk');
    expect(written.map((text) => JSON.parse(text) as unknown)).toMatchObject([
      { level: 'WARN', message: 'complained' },
    ]);
  });

  test('stands in the log also when it then blocks for ever', async () => {
    const { perform, line } = await startPool({ timeLimitMs: 200 });
    await perform('log-then-block');
    await line({ message: 'about to block' });
    await line({ message: 'task started' });
  });

  test('goes through the redaction and the base fields of the log', async () => {
    const lines: Record<string, unknown>[] = [];
    const destination = new Writable({
      decodeStrings: false,
      write(text: string, _, done) {
        lines.push(JSON.parse(text) as Record<string, unknown>);
        done();
      },
    });
    const options = { level: 'info', destination, redact: ['step'], base: { host: 'h1' } } as const;
    const { perform } = await startPool({ logger: createLogger(options).log });
    await perform('talk');
    expect(lines.find(({ message }) => message === 'logged')).toMatchObject({ step: '[Redacted]', host: 'h1' });
  });

  test('in megabytes waits for a slow log and does not pile up', async () => {
    const megabytes = 8;
    let most = 0;
    let bytes = 0;
    const { promise: all, resolve } = Promise.withResolvers<void>();
    const destination = new Writable({
      highWaterMark: 64 * 1024,
      write(chunk: Buffer, _, done) {
        most = Math.max(most, destination.writableLength);
        bytes += String(chunk).split('xxx').length > 1 ? 1 : 0;
        if (bytes === megabytes * 1024) resolve();
        if (bytes % 50 === 0) setImmediate(done);
        else done();
      },
    });
    const { perform } = await startPool({ logger: createLogger({ level: 'info', destination }).log });
    expect(await perform('print', { args: [megabytes] })).toEqual({ kind: 'succeeded' });
    await all;
    expect(most).toBeLessThan(1024 * 1024);
  });
});
