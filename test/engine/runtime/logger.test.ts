import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLogger, type LoggerOptions } from '../../../src/engine/runtime/logger.ts';

const clock = { now: () => Date.UTC(2026, 0, 2, 12, 34, 56, 789), monotonic: () => 0 };

function setup(options: Partial<LoggerOptions> = {}) {
  let written = '';
  const destination = new Writable({
    write(chunk, _encoding, done) {
      written += chunk;
      done();
    },
  });
  const logger = createLogger({ level: 'info', destination, clock, ...options });
  const lines = (): Record<string, unknown>[] =>
    written
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  return { ...logger, lines, text: () => written, destination };
}

async function createFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tq-log-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe('a JSON line', () => {
  test('has timestamp, level in capitals, message and the fields as given, and nothing of the machine', () => {
    const { log, lines } = setup();
    const task = {
      task_id: '1',
      task_name: 't',
      queue: 'q',
      attempt: 1,
      request_id: 'r',
      worker: 'w',
      duration_ms: 2.5,
    };
    log.child(task).info('task succeeded');
    expect(lines()).toEqual([
      { timestamp: '2026-01-02T12:34:56.789Z', level: 'INFO', message: 'task succeeded', ...task },
    ]);
  });

  test('has the fields of base', () => {
    const { log, lines } = setup({ base: { worker: 'tq@host' } });
    log.warn('x');
    expect(lines()[0]).toMatchObject({ level: 'WARN', worker: 'tq@host' });
  });

  test('has an error as type, message, stack and code, however it is given', () => {
    const { log, lines } = setup();
    const error = Object.assign(new TypeError('boom'), { code: 'E_X', secret: 'hunter2' });
    log.error(error);
    log.error({ err: error }, 'task failed');
    const err = { type: 'TypeError', message: 'boom', stack: error.stack, code: 'E_X' };
    expect(lines()).toMatchObject([
      { message: 'boom', err },
      { message: 'task failed', err },
    ]);
    expect(Object.keys(lines()[1]?.err as object)).toEqual(['type', 'message', 'stack', 'code']);
  });

  test('survives a cycle, a BigInt and a value that cannot be read', () => {
    const { log, lines } = setup();
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const unreadable = {
      toJSON() {
        throw new Error('no');
      },
    };
    log.info({ cycle, big: 10n, unreadable }, 'still here');
    expect(lines()[0]).toMatchObject({ message: 'still here', big: 10 });
  });
});

describe('redact', () => {
  const redact = ['password', 'user.email', '*.token', 'headers["set-cookie"]', 'err.message'];
  const fields = {
    password: 'hunter2',
    user: { email: 'hunter2', name: 'kept' },
    deep: { token: 'hunter2' },
    headers: { 'set-cookie': 'hunter2' },
  };

  test('applies to fields, nested fields, children and errors, and leaves the object alone', () => {
    const { log, lines, text } = setup({ redact });
    log.info(fields, 'one');
    log.child(fields).info('two');
    log.error({ err: { message: 'hunter2' } }, 'three');
    log.info('four %o', { password: 'hunter2' });
    expect(text()).not.toContain('hunter2');
    expect(lines()[0]).toMatchObject({ password: '[Redacted]', user: { email: '[Redacted]', name: 'kept' } });
    expect(fields.user.email).toBe('hunter2');
  });

  test('applies to readable lines', () => {
    const { log, text } = setup({ redact, pretty: true });
    log.info(fields, 'one');
    expect(text()).toContain('password=[Redacted]');
    expect(text()).not.toContain('hunter2');
  });
});

describe('readable lines', () => {
  test('show one line and escape what a task name holds', () => {
    const { log, text } = setup({ pretty: true });
    log.info({ task_name: 'evil\u001b[2J', queue: 'high' }, 'task started');
    expect(text()).toMatch(/^\d\d:34:56\.789 INFO {2}task started {2}evil\\x1b\[2J {2}queue=high\n$/);
  });

  test('have colours only when asked for', () => {
    const plain = setup({ pretty: true });
    const colored = setup({ pretty: true, color: true });
    for (const { log } of [plain, colored]) log.info('x');
    expect(plain.text()).not.toContain('\u001b');
    expect(colored.text()).toContain('\u001b[32mINFO \u001b[39m');
  });
});

test('a level that is off reads nothing of what it is given', () => {
  const { log, text } = setup({ level: 'warn', pretty: true, redact: ['a'] });
  const trap = new Proxy(
    {},
    {
      get: () => {
        throw new Error('was read');
      },
      ownKeys: () => {
        throw new Error('was read');
      },
    },
  );
  log.info(trap, 'off');
  log.child({ task_id: '1' }).debug(trap, 'off');
  expect(text()).toBe('');
  expect(log.isLevelEnabled('info')).toBe(false);
});

test('silent logs nothing', () => {
  const { log, text } = setup({ level: 'silent' });
  log.fatal('x');
  expect(text()).toBe('');
});

describe('a stream', () => {
  test('is flushed and left open on close, and a later line is dropped without a throw', async () => {
    const { log, close, text, destination } = setup();
    log.info('before');
    await close();
    log.info('after');
    expect(text()).toContain('before');
    expect(text()).not.toContain('after');
    expect(destination.writable).toBe(true);
  });

  test('is waited for while it is slow', async () => {
    const held: (() => void)[] = [];
    const written: string[] = [];
    const destination = new Writable({
      highWaterMark: 1,
      write(chunk, _encoding, done) {
        written.push(String(chunk));
        held.push(done);
      },
    });
    const { log, close } = createLogger({ level: 'info', destination });
    for (let line = 0; line < 5; line++) log.info({ line }, 'x');
    const closing = close();
    while (held.length > 0) {
      held.shift()?.();
      await new Promise(setImmediate);
    }
    await closing;
    expect(written.filter((line) => line !== '')).toHaveLength(5);
  });

  test('that fails is told once and stops nothing', async () => {
    const told: Error[] = [];
    const destination = new Writable({
      autoDestroy: false,
      write(_chunk, _encoding, done) {
        done(new Error('disk full'));
      },
    });
    const { log, close } = createLogger({ level: 'info', destination, onTrouble: (error) => told.push(error) });
    const failed = once(destination, 'error').catch((error: unknown) => error);
    log.info('x');
    log.info('y');
    await failed;
    await close();
    expect(told.map((error) => error.message)).toEqual(['disk full']);
  });
});

describe('a file', () => {
  test('is made with its folder, appended to, and holds every line when close resolves', async () => {
    const file = join(await createFolder(), 'logs/deep/tq.log');
    for (const run of [1, 2]) {
      const { log, close } = createLogger({ level: 'info', destination: file });
      for (let line = 0; line < 10_000; line++) log.info({ run, line }, 'x');
      await close();
    }
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(20_000);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ run: 2, line: 9999 });
  });

  test('may hold readable lines', async () => {
    const file = join(await createFolder(), 'tq.log');
    const { log, close } = createLogger({ level: 'info', destination: file, pretty: true });
    log.info('hello');
    await close();
    expect(await readFile(file, 'utf8')).toMatch(/ INFO {2}hello\n$/);
  });

  test('is opened anew after it was rotated, and no line is lost on the way', async () => {
    const file = join(await createFolder(), 'tq.log');
    const { log, reopen, close } = createLogger({ level: 'info', destination: file });
    for (let line = 0; line < 1000; line++) log.info({ line }, 'before');
    await rename(file, `${file}.1`);
    const reopening = reopen();
    for (let line = 0; line < 1000; line++) log.info({ line }, 'after');
    await Promise.all([reopening, close()]);
    const count = async (path: string, word: string) => (await readFile(path, 'utf8')).split(`"${word}"`).length - 1;
    expect([await count(`${file}.1`, 'before'), await count(`${file}.1`, 'after')]).toEqual([1000, 0]);
    expect([await count(file, 'before'), await count(file, 'after')]).toEqual([0, 1000]);
  });

  test('that cannot be opened anew goes on as it was, and this is told', async () => {
    const folder = join(await createFolder(), 'logs');
    const file = join(folder, 'tq.log');
    const told: Error[] = [];
    const { log, reopen, close } = createLogger({
      level: 'info',
      destination: file,
      onTrouble: (error) => told.push(error),
    });
    log.info('one');
    await rename(folder, `${folder}.old`);
    await writeFile(folder, 'a file where the folder was');
    await reopen();
    log.info('two');
    await close();
    expect(told).toHaveLength(1);
    expect((await readFile(join(`${folder}.old`, 'tq.log'), 'utf8')).trimEnd().split('\n')).toHaveLength(2);
  });

  test('that cannot be opened is an error at once', async () => {
    const folder = await createFolder();
    expect(() => createLogger({ level: 'info', destination: folder })).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.stringMatching(/^the log file must be a file that can be written, got .* \(EISDIR/),
      }),
    );
  });

  test.runIf(existsSync('/dev/full'))('on a full disk is told once, stops nothing and can be closed', async () => {
    const told: NodeJS.ErrnoException[] = [];
    const { log, close } = createLogger({
      level: 'info',
      destination: '/dev/full',
      onTrouble: (error) => told.push(error),
    });
    for (let line = 0; line < 100; line++) log.info('x');
    await close();
    expect(told.map(({ code }) => code)).toEqual(['ENOSPC']);
  });
});

describe('the standard streams of a process', () => {
  const module = new URL('../../../src/engine/runtime/logger.ts', import.meta.url).href;

  function start(script: string): ChildProcess & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream } {
    const text = `import { createLogger } from ${JSON.stringify(module)};\nimport { EventEmitter } from 'node:events';\n${script}`;
    return spawn(process.execPath, ['--input-type=module', '--eval', text], { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  test.each([
    [1, 'stdout'],
    [2, 'stderr'],
  ] as const)('get every line when %i is closed before the end', async (destination, name) => {
    const child = start(`
      const { log, close } = createLogger({ level: 'info', destination: ${destination} });
      for (let line = 0; line < 20000; line++) log.info({ line }, 'x');
      await close();
    `);
    const lines = (await text(child[name])).split('\n').filter((line) => line.startsWith('{"level"'));
    expect(lines).toHaveLength(20_000);
  });

  test('get every line of a process that exits without close', async () => {
    const child = start(`
      const { log } = createLogger({ level: 'info', destination: 1 });
      for (let line = 0; line < 5000; line++) log.info({ line }, 'x');
      process.exit(0);
    `);
    expect((await text(child.stdout)).trimEnd().split('\n')).toHaveLength(5000);
  });

  test.runIf(existsSync('/dev/full')).each(['await close();', 'process.exit(0);'])(
    'do not hold up the end of a process with a full disk: %s',
    async (end) => {
      const child = start(`
        import { once } from 'node:events';
        const trouble = new EventEmitter();
        const onTrouble = () => trouble.emit('told');
        const { log, close } = createLogger({ level: 'info', destination: '/dev/full', onTrouble });
        log.info('x');
        await once(trouble, 'told');
        log.info('y');
        ${end}
      `);
      expect(await once(child, 'exit')).toEqual([0, null]);
    },
  );

  test('may be closed by their reader: the process goes on, is told once, and ends', async () => {
    const child = start(`
      const told = [];
      const { log, close } = createLogger({ level: 'info', destination: 1, onTrouble: (error) => told.push(error.code) });
      log.info('first');
      process.stdin.destroy();
      while (told.length === 0) {
        log.info('x'.repeat(1000));
        await new Promise(setImmediate);
      }
      for (let line = 0; line < 100; line++) log.info('more');
      await close();
      process.stderr.write('told ' + told.join());
    `);
    await once(child.stdout, 'data');
    (child.stdout as import('node:stream').Readable).destroy();
    expect(await text(child.stderr)).toContain('told EPIPE');
  });
});
