import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ensureBuilt } from '../../support/build.ts';
import { runTq } from '../../support/tq-command.ts';
import { waitFor } from '../../support/wait-for.ts';
import { type BeatProject, createBeatProject, listLines } from '../beat-project.ts';
import { run } from '../run-fake.ts';

beforeAll(ensureBuilt);

const TASK = "app.task('tick', () => context().schedule);\n";
const TICK = `${TASK}app.schedule({ tick: { task: 'tick', every: '1s' } });\n`;

let project: BeatProject | undefined;
afterEach(async () => {
  await project?.close();
  project = undefined;
});

async function create(body: string): Promise<BeatProject> {
  project = await createBeatProject('sqlite:jobs.db', body);
  return project;
}

const SUCCEEDED = /^\{.*"schedule":"tick".*"message":"task succeeded"/;

describe('options', () => {
  test('--take-code and --take-stored exclude each other', async () => {
    const ran = await run(['beat', '--take-code', '--take-stored']);
    expect(ran).toMatchObject({ exitCode: 2 });
    expect(ran.stderr).toContain('--take-code and --take-stored exclude each other');
  });

  test.each([
    [['--health-port', '70000'], '--health-port must be a whole number from 0 to 65535'],
    [['--name', 'a b'], '--name must be a name'],
    [['--take', 'code'], 'has no option "--take"'],
  ])('%j is refused with exit code 2', async (argv, said) => {
    const ran = await runTq(['beat', ...argv]);
    expect(ran.exitCode).toBe(2);
    expect(ran.stderr).toContain(said);
  });
});

describe('an app whose entry cannot be', () => {
  test.each([
    ["{ x: { task: 'tikc', every: '1s' } }", ['tikc', 'tick']],
    ["{ x: { task: 'tick', cron: '0 3 31 2 *' } }", ['cron', '31']],
    ["{ x: { task: 'tick', cron: '0 3 * * *', timezone: 'Europe/Berlim' } }", ['timezone', 'Europe/Berlim']],
  ])('keeps the beat from starting, and the field is named: %s', async (entries, words) => {
    const { cwd } = await create(`${TASK}app.schedule(${entries});`);
    const ran = await runTq(['beat', '-A', 'app.mjs'], { cwd });
    expect(ran.exitCode).toBeGreaterThan(0);
    for (const word of words) expect(ran.stderr).toContain(word);
    expect(existsSync(join(cwd, 'jobs.db'))).toBe(false);
  });
});

describe('a beat', () => {
  test('has entries fire that a worker runs, says so, and stops with exit code 0', { timeout: 60_000 }, async () => {
    const { start, cwd } = await create(TICK);
    const beat = await start('beat', '--pidfile', 'run/beat.pid', '--health-port', '0', '--health-host', '127.0.0.1');
    const { port } = JSON.parse(await beat.waitForLine('"message":"health port open"')) as { port: number };
    const banner = JSON.parse(await beat.waitForLine('"message":"beat starting"')) as Record<string, unknown>;
    expect(banner).toMatchObject({ beat: expect.stringMatching(/^beat@/), broker: 'sqlite:jobs.db', entries: 1 });
    await beat.waitForLine('beat ready: it leads');
    const ask = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: response.status, body: await response.json() };
    };
    expect(await ask('/readyz')).toMatchObject({
      status: 200,
      body: { ready: true, isLeader: true, phase: 'running' },
    });
    expect(await ask('/healthz')).toMatchObject({ status: 200, body: { live: true } });
    const other = await runTq(['beat', '-A', 'app.mjs', '--pidfile', 'run/beat.pid'], { cwd });
    expect(other).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('PIDFILE_REFUSED') });

    const worker = await start('worker', '--pool', 'async');
    await waitFor('three firings to run', () => listLines(worker.stdout, /^task succeeded$/).length >= 3);
    await beat.waitForLine('"message":"entry \\"tick\\" fired"');
    const [fired] = listLines(beat.stdout, /fired$/);
    expect(fired).toMatchObject({ entry: 'tick', due: expect.stringMatching(/Z$/), late_ms: expect.any(Number) });
    expect(fired?.['job_id']).toBe(`repeat:tick:${Date.parse(String(fired?.['due']))}`);
    const result = await runTq(['result', String(fired?.['job_id']), '-A', 'app.mjs', '--json', '--wait'], { cwd });
    expect(result.json()).toMatchObject({ state: 'SUCCESS', result: { entry: 'tick' } });

    beat.signal('SIGTERM');
    expect(await beat.exit).toMatchObject({ exitCode: 0 });
    expect(existsSync(join(cwd, 'run/beat.pid'))).toBe(false);
    expect((await runTq(['health', '--beat', '-A', 'app.mjs'], { cwd })).exitCode).toBe(69);
    worker.signal('SIGTERM');
    await worker.exit;
    const ran = listLines(worker.stdout, /^task succeeded$/).map((line) => line['task_id']);
    expect(new Set(ran).size).toBe(ran.length);
  });

  test('shows what an operator has changed since, and keeps what it is told to keep', { timeout: 60_000 }, async () => {
    const declared = `${TASK}app.schedule({ nightly: { task: 'tick', cron: '0 2 * * *', timezone: 'UTC' } });`;
    const { start, cwd, write } = await create(declared);
    const runBeat = async (...args: string[]): Promise<string> => {
      const beat = await start('beat', ...args);
      await beat.waitForLine('beat ready: it leads');
      beat.signal('SIGTERM');
      await beat.exit;
      return beat.stdout;
    };
    expect(await runBeat()).not.toContain('an operator has changed');
    const edit = `await app.schedules.add('nightly', { task: 'tick', cron: '0 3 * * *', timezone: 'UTC' }, { replace: true });`;
    const editNow = async (): Promise<void> => {
      await write(`${declared}\n${edit}\nawait app.close();`);
      await runTq(['call', 'tick', '-A', 'app.mjs'], { cwd });
      await write(declared);
    };
    await editNow();
    const kept = await runBeat('--take-stored');
    expect(listLines(kept, /an operator has changed/)).toMatchObject([{ level: 'WARN', entry: 'nightly' }]);
    expect(kept).toContain('what was stored stays');
    expect(await runBeat()).toContain('what code says is taken');
    expect(await runBeat()).not.toContain('an operator has changed');
  });
});

describe('tq worker --beat', () => {
  test('does it all alone, and gives the lead back when it stops', { timeout: 60_000 }, async () => {
    const { start, cwd } = await create(TICK);
    const worker = await start('worker', '--pool', 'async', '--beat', '--name', 'tq@both');
    expect(JSON.parse(await worker.waitForLine('"message":"worker starting"'))).toMatchObject({
      beat: true,
      entries: 1,
    });
    await worker.waitForLine('"message":"the beat leads"');
    await waitFor('three firings to run', () => listLines(worker.stdout, /^task succeeded$/).length >= 3);
    await worker.waitForLine(SUCCEEDED);
    // A beat tells how many entries it keeps when it tells of itself again.
    await waitFor('the beat to tell of its entry', async () => {
      const ran = await runTq(['health', '--beat', '--worker', 'tq@both', '--json', '-A', 'app.mjs'], { cwd });
      expect(ran.json()).toMatchObject({ status: 'ok', components: [{ worker: 'tq@both' }, { leader: 'tq@both' }] });
      return (ran.json() as { components: { entries?: number }[] }).components[1]?.entries === 1;
    });
    worker.signal('SIGTERM');
    expect(await worker.exit).toMatchObject({ exitCode: 0 });
    expect((await runTq(['health', '--beat', '-A', 'app.mjs'], { cwd })).exitCode).toBe(69);
  });

  test('runs jobs on when its beat cannot start', { timeout: 60_000 }, async () => {
    const strict = `{ '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'is wrong' }] }) } }`;
    const { start, cwd } = await create(`${TASK}
app.task('strict', { input: ${strict} }, () => 1);
app.schedule({ bad: { task: 'strict', args: [1], every: '1h' } });`);
    const worker = await start('worker', '--pool', 'async', '--beat');
    const line = JSON.parse(await worker.waitForLine('the beat of this worker did not start'));
    expect(line).toMatchObject({ level: 'ERROR', message: expect.stringContaining('this worker runs without it') });
    const called = await runTq(['call', 'tick', '--wait', '--json', '-A', 'app.mjs'], { cwd });
    expect(called.json()).toMatchObject({ state: 'SUCCESS' });
    const alone = await runTq(['beat', '-A', 'app.mjs'], { cwd });
    expect(alone.exitCode).toBeGreaterThan(0);
    expect(alone.stderr).toContain('is wrong');
    worker.signal('SIGTERM');
    expect(await worker.exit).toMatchObject({ exitCode: 0 });
  });
});
