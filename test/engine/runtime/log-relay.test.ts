import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';
import { expect, test } from 'vitest';
import { findLogPlace, relayInto } from '../../../src/engine/runtime/log-relay.ts';
import { createLogger } from '../../../src/engine/runtime/logger.ts';
import { withTempDir } from '../../support/temp-dir.ts';

const LINE =
  '{"level":"WARN","timestamp":"2026-01-02T03:04:05.678Z","task_id":"1","err":{"type":"E","message":"m","stack":"E: m\\n at a","code":"X"},"message":"hello"}\n';

function record() {
  const written: string[] = [];
  const destination = new Writable({
    decodeStrings: false,
    write(text: string | Buffer, _, done) {
      written.push(String(text));
      done();
    },
  });
  return { written, destination };
}

test('a log of tq takes a line as it was made elsewhere', () => {
  const { written, destination } = record();
  relayInto(createLogger({ level: 'info', destination }).log).write(LINE);
  expect(written).toEqual([LINE]);
});

test('it shows that line as it shows its own: readable where they are', () => {
  const { written, destination } = record();
  relayInto(createLogger({ level: 'info', destination, pretty: true }).log).write(LINE);
  expect(written.join('')).toMatch(/WARN {2}hello {2}1\n {4}E: m \(X\)\n {5}at a\n/);
});

test('what makes the lines elsewhere is told the level, the redaction and the fields of every line', () => {
  const { destination } = record();
  const { log } = createLogger({ level: 'warn', destination, redact: ['password'], base: { worker: 'w' } });
  expect(relayInto(log).shape).toEqual({ level: 'warn', redact: ['password'], base: { worker: 'w' } });
});

test('a logger of another making is given level, fields and message, and writes them its own way', () => {
  const { written, destination } = record();
  const log = pino({ base: { app: 'shop' }, level: 'info' }, destination);
  relayInto(log).write(LINE);
  const err = { type: 'E', message: 'm', stack: 'E: m\n at a', code: 'X' };
  expect(written.map((text) => JSON.parse(text) as unknown)).toEqual([
    { level: 40, time: expect.any(Number), app: 'shop', task_id: '1', err, msg: 'hello' },
  ]);
  expect(relayInto(log).shape).toEqual({ level: 'info', redact: [], base: {} });
});

test('so is a child of a logger of tq, whose own fields would be missing', () => {
  const { written, destination } = record();
  const log = createLogger({ level: 'info', destination }).log.child({ component: 'jobs' });
  relayInto(log).write(LINE);
  expect(JSON.parse(written[0] ?? '')).toMatchObject({
    component: 'jobs',
    task_id: '1',
    level: 'WARN',
    message: 'hello',
  });
});

test('a level that nobody knows counts as info', () => {
  const { destination, written } = record();
  const log = pino({ level: 'loud', customLevels: { loud: 35 } }, destination) as unknown as Logger;
  expect(relayInto(log).shape.level).toBe('info');
  relayInto(log).write('{"level":"LOUD","message":5}\n');
  expect(written).toEqual([]);
});

test('a log whose reader is slow says so until it has read', async () => {
  await withTempDir(async (folder) => {
    const fifo = join(folder, 'log');
    execFileSync('sh', ['-c', 'mkfifo "$0"', fifo]);
    // Opened for both, so that neither end waits for the other.
    const reader = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    const { log, close } = createLogger({ level: 'info', destination: fifo });
    const relay = relayInto(log);
    expect(relay.whenFull()).toBeUndefined();
    const line = `${JSON.stringify({ message: 'x'.repeat(1000) })}\n`;
    for (let written = 0; written < 400; written += 1) relay.write(line);
    const full = relay.whenFull();
    expect(full).toBeInstanceOf(Promise);
    const reading = setInterval(() => drain(reader), 1);
    await full;
    expect(relay.whenFull()).toBeUndefined();
    await close();
    clearInterval(reading);
    closeSync(reader);
  });
});

function drain(fd: number): void {
  try {
    readSync(fd, Buffer.alloc(64 * 1024));
  } catch {
    // Nothing is there yet.
  }
}

test('another thread is told where a log goes: to a descriptor or a file, which is opened anew', async () => {
  const shape = { level: 'warn', redact: ['password'], base: { worker: 'w' }, pretty: true, color: false } as const;
  const place = (destination: Parameters<typeof createLogger>[0]['destination']) =>
    findLogPlace(createLogger({ ...shape, destination }).log);
  expect(place(2)).toEqual({ ...shape, target: 2 });
  expect(place(process.stdout)).toEqual({ ...shape, target: 1 });
  await withTempDir((folder) => {
    const file = join(folder, 'a.log');
    expect(place(file)).toEqual({ ...shape, target: file });
  });
});

test('what only its own thread can write to is stood in for by stderr, in lines of JSON', () => {
  const { destination } = record();
  const stderr = { target: 2, pretty: false, color: false };
  const { log } = createLogger({ level: 'info', destination, pretty: true, redact: ['a'], base: { b: 1 } });
  expect(findLogPlace(log)).toEqual({ ...stderr, level: 'info', redact: ['a'], base: { b: 1 } });
  expect(findLogPlace(pino({ level: 'error' }, destination))).toEqual({
    ...stderr,
    level: 'error',
    redact: [],
    base: {},
  });
});
