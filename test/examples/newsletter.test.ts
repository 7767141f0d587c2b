import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, join, relative } from 'node:path';
import { execa } from 'execa';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { brokersUnderTest } from '../support/brokers.ts';
import { ensureBuilt } from '../support/build.ts';
import { projectFolder } from '../support/project-folder.ts';
import { withTempDir } from '../support/temp-dir.ts';
import { runTq, startTq } from '../support/tq-command.ts';

const example = join(projectFolder, 'examples', 'newsletter');

interface Surroundings {
  readonly url: string;
  /** Where the example writes; it must not touch what lies in the checkout. */
  readonly folder: string;
}

/** Runs one of the example's own programs, as `node FILE` in its folder. */
async function runExample(file: string, args: readonly string[], { url, folder }: Surroundings) {
  await ensureBuilt();
  return await execa(process.execPath, [join(example, file), ...args], {
    cwd: example,
    env: { PATH: process.env['PATH'] ?? '', NEWSLETTER_FOLDER: folder, TQ_BROKER_URL: url },
    extendEnv: false,
    reject: false,
    timeout: 60_000,
  });
}

describe('the example of a newsletter', () => {
  test('passes the type check of its own tsconfig, against the built package', async () => {
    await ensureBuilt();
    const tsc = join(projectFolder, 'node_modules', '.bin', 'tsc');
    const { stdout, exitCode } = await execa(tsc, ['-p', example], { reject: false });
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 0 });
  });

  test('runs `npm start` with nothing installed: on the file of its tq.config, wherever it is started', async () => {
    // Inside the checkout, so that the package finds itself by its name; .tq/ is ignored by git.
    await mkdir(join(projectFolder, '.tq'), { recursive: true });
    const copy = await mkdtemp(join(projectFolder, '.tq', 'newsletter-'));
    try {
      await cp(example, copy, { recursive: true, filter: (path) => basename(path) !== '.tq' });
      await ensureBuilt();
      const { stdout, stderr, exitCode } = await execa(process.execPath, [join(copy, 'tour.ts')], {
        cwd: projectFolder,
        env: { PATH: process.env['PATH'] ?? '' },
        extendEnv: false,
        reject: false,
        timeout: 60_000,
      });
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
      expect(stdout).toMatch(/^broker {6}SQLite 3\.\S+ at sqlite:/);
      expect(stdout).toContain(` at sqlite:${join(copy, '.tq', 'tq.db')}\n`);
      expect(stdout).toContain(`\ne-mail      ${relative(projectFolder, copy)}/.tq/outbox/`);
      expect(existsSync(join(copy, '.tq', 'tq.db'))).toBe(true);
    } finally {
      await rm(copy, { recursive: true, force: true });
    }
  });

  test('ends `npm start` with exit code 69 and one clear line when the broker is not there', async () => {
    await withTempDir(async (folder) => {
      const url = `redis://127.0.0.1:${await findClosedPort()}`;
      const { stdout, stderr, exitCode } = await runExample('tour.ts', [], { url, folder });
      expect(exitCode).toBe(69);
      expect(stderr).toContain(`cannot connect to the broker ${url}`);
      expect(stderr.split('\n')).toHaveLength(2);
      expect(stdout).toBe('');
    });
  });
});

describe.each(brokersUnderTest())('the example of a newsletter on $name', ({ name, createUrl }) => {
  test('`npm start` says where the e-mail and the thumbnails lie, and there they are', async () => {
    await withTempDir(async (folder) => {
      const { stdout, stderr, exitCode } = await runExample('tour.ts', [], { url: await createUrl(), folder });
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
      if (name === 'postgres') expect(stdout).toMatch(/^migrate .*\ncreated the schema, version \d+\n/);
      expect(stdout).toMatch(/^subscribed {2}ada@example\.com$/m);
      expect(stdout).toMatch(/^worker {6}stopped, exit code 0$/m);

      const [email = ''] = await readdir(join(folder, 'outbox'));
      expect(stdout).toContain(email);
      expect(await readFile(join(folder, 'outbox', email), 'utf8')).toMatch(/^To: ada@example\.com\r$/m);

      const thumbnails = (await readdir(join(folder, 'thumbnails'))).sort();
      expect(thumbnails).toEqual(['160', '320', '80'].map((size) => `ada@example.com-${size}.jpg`));
      for (const file of thumbnails) {
        const { width, height } = await sharp(join(folder, 'thumbnails', file)).metadata();
        expect(stdout).toContain(`${file} (${width} x ${height})`);
      }
    });
  });

  test('a producer gets its result from a worker that was started in the folder without flags', async () => {
    await withTempDir(async (folder) => {
      const url = await createUrl();
      await runExample('tour.ts', [], { url, folder });
      const worker = await startTq(['worker'], {
        cwd: example,
        env: { TQ_BROKER_URL: url, NEWSLETTER_FOLDER: folder },
      });
      const { stdout, exitCode } = await runExample('enqueue.ts', ['grace@example.com', 'Grace'], { url, folder });
      expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
      expect(stdout).toMatch(/^sent [\da-f-]{36} to queue default\nsubscribed grace@example\.com;/);
      const line = await worker.waitForLine(/"task_name":"image\.thumbnail".*"message":"task succeeded"/);
      expect(JSON.parse(line)).toMatchObject({ queue: 'low', request_id: expect.stringMatching(/^web-\d+$/) });
      worker.signal('SIGTERM');
      expect(await worker.exit).toMatchObject({ exitCode: 0 });
    });
  });

  test('declares its upkeep, which a worker with a beat has done when it is due', async () => {
    await ensureBuilt();
    await withTempDir(async (folder) => {
      const url = `sqlite:${join(folder, 'jobs.db')}`;
      const env = { NEWSLETTER_FOLDER: folder, TQ_BROKER_URL: url };
      const worker = await startTq(['worker', '--beat', '--pool', 'async'], { cwd: example, env });
      try {
        const banner = JSON.parse(await worker.waitForLine('"message":"worker starting"'));
        expect(banner).toMatchObject({ beat: true, entries: 2 });
        await worker.waitForLine('"message":"the beat leads"');
        for (const [task, args] of [
          ['file.cleanup', '{"olderThan":"30d"}'],
          ['health.check', '{}'],
        ] as const) {
          const called = await runTq(['call', task, '--input', args, '--wait', '--json'], { cwd: example, env });
          expect(called.json()).toMatchObject({ state: 'SUCCESS' });
        }
      } finally {
        worker.signal('SIGTERM');
        expect(await worker.exit).toMatchObject({ exitCode: 0 });
      }
    });
  });

  test('an attempt that finds no portrait is retried, and welcomes the subscriber once', async () => {
    await withTempDir(async (folder) => {
      const url = await createUrl();
      const env = { TQ_BROKER_URL: url, NEWSLETTER_FOLDER: folder };
      const migrated = await startTq(['migrate'], { cwd: example, env });
      expect(await migrated.exit).toMatchObject({ exitCode: 0 });
      const worker = await startTq(['worker'], { cwd: example, env });
      const input = JSON.stringify({ email: 'mary@example.com', name: 'Mary', portrait: 'uploads/mary.jpg' });
      const call = await startTq(['call', 'newsletter.subscribe', '--input', input, '--wait', '--json'], {
        cwd: example,
        env,
      });
      await worker.waitForLine(/"message":"task failed, it will be retried"/);
      await mkdir(join(folder, 'uploads'), { recursive: true });
      await sharp(join(example, 'portrait.jpg')).toFile(join(folder, 'uploads', 'mary.jpg'));
      expect(await call.exit).toMatchObject({ exitCode: 0 });
      expect(JSON.parse(call.stdout)).toMatchObject({ state: 'SUCCESS', attempts: 2, progress: { done: 3, total: 3 } });
      await worker.waitForLine(/"task_name":"image\.thumbnail".*"message":"task succeeded"/);
      worker.signal('SIGTERM');
      await worker.exit;
      expect(await readdir(join(folder, 'outbox'))).toHaveLength(1);
    });
  });

  test('the library in one file runs to its end', async () => {
    await withTempDir(async (folder) => {
      const url = await createUrl();
      const migrated = await startTq(['migrate'], { env: { TQ_BROKER_URL: url } });
      await migrated.exit;
      const { stdout, stderr, exitCode } = await runExample('../library/library.ts', [], { url, folder });
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
      expect(stdout).toMatch(/^Report 2031; 1 \+ 2 rows; job .* failed: RangeError: there is nothing to report/m);
    });
  });
});

/** A port that was free a moment ago and that nobody listens on. */
async function findClosedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
