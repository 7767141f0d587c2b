import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { testServers } from '../support/brokers.ts';
import { ensureBuilt } from '../support/build.ts';
import { createPostgresDatabase } from '../support/postgres-database.ts';
import { createFolderOfRun } from '../support/run-folder.ts';
import { runTq } from '../support/tq-command.ts';

const INPUT = JSON.stringify({ to: 'ada@example.com', subject: 'Hi', text: 'Hello' });

// It may take longer than a test.
beforeAll(ensureBuilt);

async function call(cwd: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const called = await runTq(['call', 'email.send', '--input', INPUT, '--json'], { cwd, env });
  return (called.json() as { id: string }).id;
}

describe('results in a file that tq.config names', () => {
  test('are there when the broker is gone', { timeout: 60_000 }, async () => {
    const cwd = createFolderOfRun('project');
    await writeFile(join(cwd, 'tq.config.mjs'), "export default { results: 'sqlite:kept/results.db' };\n");
    const id = await call(cwd);
    expect(await runTq(['results', 'list', '--json'], { cwd })).toMatchObject({ exitCode: 0, stdout: '[]' });
    // With child processes, whose parent writes the row.
    const worker = await runTq(['worker', '--burst', '-c', '1'], { cwd });
    expect(worker).toMatchObject({ exitCode: 0 });
    expect(worker.stdout).toContain('"results":"sqlite:');
    await rm(join(cwd, '.tq'), { recursive: true });
    const result = await runTq(['result', id, '--json'], { cwd });
    expect(result.exitCode).toBe(0);
    expect(result.json()).toMatchObject({ id, task: 'email.send', state: 'SUCCESS', attempts: 1 });
    const listed = await runTq(['results', 'list', '--where', 'task:email.* age<1h', '--json'], { cwd });
    expect(listed.json()).toMatchObject([{ id, args: [JSON.parse(INPUT)], requestId: id, error: null }]);
    expect((await runTq(['result', 'nope', '--json'], { cwd })).exitCode).toBe(3);
  });
});

describe.skipIf(!testServers().postgresUrl)('results in PostgreSQL', () => {
  test('need `tq migrate` once, and the worker says so and exits', { timeout: 60_000 }, async () => {
    const { url } = await createPostgresDatabase(testServers().postgresUrl as string);
    const cwd = createFolderOfRun('project');
    const env = { TQ_RESULTS_URL: url };
    const id = await call(cwd, env);
    const refused = await runTq(['worker', '--burst', '--pool', 'async'], { cwd, env });
    expect(refused.exitCode).toBe(69);
    expect(refused.stderr).toContain('it has no table of results yet');
    expect(refused.stderr).toContain('tq migrate');
    expect(refused.stderr + refused.stdout).not.toContain(new URL(url).password);
    const migrated = await runTq(['migrate', '--results', url, '--json'], { cwd });
    expect(migrated.json()).toMatchObject({ results: { from: null, to: 2 } });
    expect(await runTq(['worker', '--burst', '--pool', 'async', '--results', url], { cwd })).toMatchObject({
      exitCode: 0,
    });
    const listed = await runTq(['results', 'list', '--json'], { cwd, env });
    expect(listed.json()).toMatchObject([{ id, state: 'SUCCESS' }]);
  });
});
