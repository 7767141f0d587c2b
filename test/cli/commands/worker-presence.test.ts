import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testServers } from '../../support/brokers.ts';
import { ensureBuilt } from '../../support/build.ts';
import { projectFolder } from '../../support/project-folder.ts';
import { startRedis } from '../../support/redis-server.ts';
import { createFolderOfRun } from '../../support/run-folder.ts';
import { type RunningTq, runTq, startTq } from '../../support/tq-command.ts';
import { waitFor } from '../../support/wait-for.ts';

let folder: string;
const workers: RunningTq[] = [];

beforeAll(ensureBuilt);

/** An app whose hook and whose task wait for files, so that a test says when they end. */
beforeEach(async () => {
  folder = createFolderOfRun('project');
  const index = JSON.stringify(pathToFileURL(join(projectFolder, 'dist/index.js')).href);
  await writeFile(
    join(folder, 'app.mjs'),
    `import { existsSync } from 'node:fs';
     import { setTimeout as wait } from 'node:timers/promises';
     import { createApp } from ${index};
     const until = async (file) => { while (!existsSync(file)) await wait(10); };
     export const app = createApp({ broker: 'sqlite:jobs.db', hooks: { workerStart: () => until('start') } });
     app.task('long', () => until('end'));`,
  );
});

afterEach(async () => {
  for (const worker of workers.splice(0)) {
    worker.signal('SIGKILL');
    await worker.exit;
  }
});

const write = (file: string): Promise<void> => writeFile(join(folder, file), '');

async function start(...args: string[]): Promise<RunningTq> {
  const worker = await startTq(['worker', '-A', 'app.mjs', ...args], { cwd: folder });
  workers.push(worker);
  return worker;
}

async function findPort(worker: RunningTq): Promise<number> {
  return JSON.parse(await worker.waitForLine('"message":"health port open"')).port as number;
}

async function ask(port: number, path: string): Promise<[number, Record<string, unknown>]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return [response.status, (await response.json()) as Record<string, unknown>];
}

const HEALTH = ['--health-port', '0', '--health-host', '127.0.0.1'];

describe('the health port of a worker', () => {
  test('is not ready until the worker takes jobs, and from the first moment of its stop on', async () => {
    const worker = await start(...HEALTH);
    const port = await findPort(worker);
    expect(await ask(port, '/readyz')).toEqual([503, expect.objectContaining({ phase: 'starting' })]);
    expect((await ask(port, '/healthz'))[0]).toBe(200);
    await write('start');
    await worker.waitForLine('"message":"worker ready"');
    expect(await ask(port, '/readyz')).toEqual([200, expect.objectContaining({ phase: 'running', problems: [] })]);
    await runTq(['call', 'long', '-A', 'app.mjs'], { cwd: folder });
    await waitFor('the job to run', async () => {
      const [, health] = await ask(port, '/readyz');
      return (health['components'] as { pool: { running: number } }).pool.running === 1;
    });
    worker.signal('SIGTERM');
    await worker.waitForLine('stopping: no new jobs');
    expect(await ask(port, '/readyz')).toEqual([503, expect.objectContaining({ live: true, phase: 'stopping' })]);
    expect((await ask(port, '/healthz'))[0]).toBe(200);
    await write('end');
    expect(await worker.exit).toMatchObject({ exitCode: 0 });
  });

  test.runIf(testServers().canStartRedis)('is live but not ready while the broker is away', async () => {
    const server = await startRedis({ persistent: true });
    try {
      await write('start');
      const worker = await start(...HEALTH, '--broker', server.url);
      const port = await findPort(worker);
      await worker.waitForLine('"message":"worker ready"');
      await server.stop('SIGKILL');
      const [, away] = await waitFor('a worker that is not ready', async () => {
        const answer = await ask(port, '/readyz');
        return answer[0] === 503 && answer;
      });
      expect(away).toMatchObject({ live: true, problems: ['the broker is away'], phase: 'running' });
      expect((await ask(port, '/healthz'))[0]).toBe(200);
      await server.restart();
      await waitFor('a worker that is ready', async () => (await ask(port, '/readyz'))[0] === 200);
    } finally {
      await server.stop();
    }
  });

  test('that is taken keeps the worker from starting, and leaves no pidfile', async () => {
    const port = await findPort(await start(...HEALTH));
    const args = ['--health-port', String(port), '--health-host', '127.0.0.1', '--pidfile', 'second.pid'];
    const second = await runTq(['worker', '-A', 'app.mjs', ...args], { cwd: folder });
    expect(second).toMatchObject({ exitCode: 1, stdout: '' });
    expect(second.stderr).toContain(`the health port ${port} of 127.0.0.1 cannot be opened`);
    expect(existsSync(join(folder, 'second.pid'))).toBe(false);
  });
});

describe('the pidfile of a worker', () => {
  test('names it while it runs, keeps a second worker from starting, and is gone at its end', async () => {
    await write('start');
    const worker = await start('--pidfile', 'run/tq.pid');
    await worker.waitForLine('"message":"worker ready"');
    expect(await readFile(join(folder, 'run/tq.pid'), 'utf8')).toBe(`${worker.pid}\n`);
    const env = { TQ_PIDFILE: 'run/tq.pid' };
    const second = await runTq(['worker', '-A', 'app.mjs'], { cwd: folder, env });
    expect(second).toMatchObject({ exitCode: 1, stdout: '' });
    expect(second.stderr).toContain(`it names process ${worker.pid}, which lives`);
    worker.signal('SIGTERM');
    expect(await worker.exit).toMatchObject({ exitCode: 0 });
    expect(existsSync(join(folder, 'run/tq.pid'))).toBe(false);
  });

  test('of a worker that was killed does not keep the next one from starting', async () => {
    await write('start');
    const killed = await start('--pidfile', 'tq.pid');
    await killed.waitForLine('"message":"worker ready"');
    killed.signal('SIGKILL');
    await killed.exit;
    const next = await start('--pidfile', 'tq.pid');
    await next.waitForLine('"message":"worker ready"');
    expect(await readFile(join(folder, 'tq.pid'), 'utf8')).toBe(`${next.pid}\n`);
  });
});
