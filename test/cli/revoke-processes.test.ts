import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type BrokerUnderTest, brokersUnderTest } from '../support/brokers.ts';
import { ensureBuilt } from '../support/build.ts';
import { projectFolder } from '../support/project-folder.ts';
import { createFolderOfRun, recordEnded, recordStarted } from '../support/run-folder.ts';
import { runTq, startTq } from '../support/tq-command.ts';
import { waitFor } from '../support/wait-for.ts';

/** Tasks that note that they run, and end by their signal or not at all. */
const APP = `
  import { appendFileSync } from 'node:fs';
  import { context, createApp } from 'taskq';
  export const app = createApp({ builtins: false });
  const note = () => appendFileSync('ran', context().id + '\\n');
  app.task('heed', async () => {
    note();
    const { signal } = context();
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  app.task('deaf', () => {
    note();
    return new Promise(() => setInterval(() => {}, 1000));
  });`;

const WORKER = `
  import { app } from './app.mjs';
  const worker = await app.createWorker({
    name: 'tq@e2e',
    ...(process.argv[2] === 'prefork' && { pool: 'prefork', module: new URL('./app.mjs', import.meta.url) }),
  });
  await worker.start();
  process.stdout.write('ready\\n');`;

interface Reported {
  readonly workers: Record<string, unknown>;
  readonly jobs: readonly Record<string, unknown>[];
}

// It may take longer than a test.
beforeAll(ensureBuilt);

describe.each(brokersUnderTest())('with real processes on $name', (underTest) => {
  const stops: (() => unknown)[] = [];
  let cwd: string;
  let env: Record<string, string>;
  beforeEach(async () => {
    cwd = createFolderOfRun('project');
    env = await createBroker(underTest, cwd);
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  const tq = async (...argv: string[]) => {
    const { exitCode, json, stderr } = await runTq([...argv, '--json'], { cwd, env });
    return { exitCode, stderr, document: json() as Reported & Record<string, unknown> };
  };
  const call = async (...argv: string[]): Promise<string> => (await tq('call', ...argv)).document['id'] as string;
  const readRan = async (): Promise<string> =>
    existsSync(join(cwd, 'ran')) ? await readFile(join(cwd, 'ran'), 'utf8') : '';
  const untilRuns = (id: string) => waitFor(`job ${id} to run`, async () => (await readRan()).includes(id));
  const startWorker = async (pool: string): Promise<void> => {
    const worker: ChildProcess = spawn(process.execPath, ['worker.mjs', pool], {
      cwd,
      env: { ...process.env, ...env },
    });
    const pid = worker.pid as number;
    recordStarted(pid, 'worker.mjs');
    const exit = once(worker, 'exit').then(() => recordEnded(pid));
    stops.push(() => {
      worker.kill('SIGKILL');
      return exit;
    });
    const said = once(worker.stdout as NodeJS.ReadableStream, 'data').then(String);
    expect(await Promise.race([said, exit])).toBe('ready\n');
  };

  test('what is revoked while no worker is up never starts, when one comes either', { timeout: 60_000 }, async () => {
    const [waiting, later, other] = [
      await call('heed'),
      await call('heed', '--countdown', '1s'),
      await call('heed', '--countdown', '1h'),
    ];
    const revoked = await tq('control', 'revoke', waiting, later, '--yes');
    expect(revoked).toMatchObject({
      exitCode: 0,
      document: {
        workers: {},
        silent: [],
        jobs: [
          { id: waiting, task: 'heed', queue: 'default', happened: 'never started', state: 'REVOKED', worker: null },
          { id: later, happened: 'never started', state: 'REVOKED' },
        ],
      },
    });
    expect(await tq('result', waiting)).toMatchObject({
      exitCode: 1,
      document: { state: 'REVOKED', finishedAt: null },
    });
    expect(await tq('result', later, '--wait')).toMatchObject({ exitCode: 1, document: { state: 'REVOKED' } });
    const listed = await tq('inspect', 'revoked');
    expect(listed).toMatchObject({ exitCode: 69, document: { workers: {} } });
    expect((listed.document['waiting'] as { id: string }[]).map(({ id }) => id).sort()).toEqual(
      [waiting, later].sort(),
    );

    const worker = await startTq(['worker'], { cwd, env });
    stops.push(() => {
      worker.signal('SIGKILL');
      return worker.exit;
    });
    for (const id of [waiting, later])
      await worker.waitForLine(new RegExp(`"task_id":"${id}".*"message":"task revoked"`));
    await waitFor('the last outcome', async () => (await tq('result', later)).document['finishedAt'] !== null);
    expect(await tq('jobs', 'show', waiting)).toMatchObject({
      document: { state: 'REVOKED', reason: expect.stringMatching(/^by .+ at \d{4}-/) },
    });
    expect(await tq('inspect', 'revoked')).toMatchObject({ exitCode: 0, document: { waiting: [] } });
    expect(await readRan()).toBe('');
    expect(await tq('result', other)).toMatchObject({ exitCode: 4, document: { state: 'SCHEDULED' } });
  });

  // What a pool does has no other store in it; one is enough for both.
  test.each(underTest.name === 'sqlite' ? ['async', 'prefork'] : ['prefork'])(
    'a running job is aborted, and one that is deaf ended: %s',
    { timeout: 60_000 },
    async (pool) => {
      await startWorker(pool);
      const heed = await call('heed');
      await untilRuns(heed);
      const aborted = await tq('control', 'revoke', heed, '--yes');
      expect(aborted).toMatchObject({
        exitCode: 0,
        document: {
          workers: { 'tq@e2e': [{ id: heed, happened: 'aborted' }] },
          jobs: [{ id: heed, task: 'heed', happened: 'aborted', state: 'REVOKED', worker: 'tq@e2e' }],
        },
      });

      const deaf = await call('deaf');
      await untilRuns(deaf);
      expect(await tq('control', 'revoke', deaf, '--yes', '--timeout', '2s')).toMatchObject({
        exitCode: 1,
        document: { jobs: [{ id: deaf, happened: 'ignored the signal', state: 'STARTED' }] },
        stderr: expect.stringContaining('--terminate ends them'),
      });
      const happened = pool === 'prefork' ? 'killed' : 'given up';
      expect(await tq('control', 'revoke', deaf, '--terminate', '--yes')).toMatchObject({
        exitCode: 0,
        document: { jobs: [{ id: deaf, happened, state: 'REVOKED' }] },
      });
      expect(await tq('control', 'revoke', heed, deaf, '--yes')).toMatchObject({
        exitCode: 0,
        document: { workers: {}, jobs: [{ happened: 'had finished' }, { happened: 'had finished', state: 'REVOKED' }] },
      });
      expect(await tq('inspect', 'revoked')).toMatchObject({
        exitCode: 0,
        document: {
          workers: {
            'tq@e2e': [
              { id: deaf, happened },
              { id: heed, happened: 'aborted' },
            ],
          },
          waiting: [],
        },
      });
    },
  );
});

/** A store with its schema made, and a project whose app uses it. */
async function createBroker({ createUrl }: BrokerUnderTest, cwd: string): Promise<Record<string, string>> {
  await mkdir(join(cwd, 'node_modules'));
  await symlink(projectFolder, join(cwd, 'node_modules/taskq'));
  await writeFile(join(cwd, 'app.mjs'), APP);
  await writeFile(join(cwd, 'worker.mjs'), WORKER);
  const env = { TQ_BROKER_URL: await createUrl(), TQ_APP: 'app.mjs' };
  await runTq(['migrate'], { cwd, env });
  return env;
}
