import { realpathSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withTempDir } from './temp-dir.ts';
import { runTq, startTq } from './tq-command.ts';

/** A module that Node loads before tq: it shows the surroundings and stays, or leaves as it is told. */
async function preload(folder: string, code: string): Promise<Record<string, string>> {
  const file = join(folder, 'preload.cjs');
  await writeFile(file, code);
  return { NODE_OPTIONS: `--require ${file}` };
}

/** Keeps a command that would end by itself running until `leave` is called or a signal ends it. */
const staying = 'setInterval(() => {}, 1e6); const leave = process.exit; process.exit = () => {};';

test('tq runs in a clean environment, in an empty folder, with the Node of the tests', () =>
  withTempDir(async (folder) => {
    process.env['TQ_BROKER_URL'] = 'redis://never';
    const shown =
      '{ node: process.execPath, tq: Object.keys(process.env).filter((n) => /^TQ_|COLOR/.test(n)), files: require("node:fs").readdirSync(".") }';
    const env = await preload(folder, `process.stdout.write(JSON.stringify(${shown})); process.exit(0);`);
    const result = await runTq(['inspect', 'queues'], { env });
    delete process.env['TQ_BROKER_URL'];
    expect(result.json()).toEqual({ node: process.execPath, tq: [], files: [] });
    expect(result.exitCode).toBe(0);
  }));

test('an exit code is a result, and text in place of JSON is shown in the failure', () =>
  withTempDir(async (folder) => {
    const env = await preload(folder, 'process.stdout.write("no json"); process.stderr.write("why"); process.exit(3);');
    const result = await runTq(['result', 'x'], { env, cwd: folder });
    expect([result.stdout, result.stderr, result.exitCode]).toEqual(['no json', 'why', 3]);
    expect(() => result.json()).toThrow(/tq result x wrote no JSON\n--- stdout\nno json\n--- stderr\nwhy/);
  }));

test('a running tq is waited for by its lines, gets signals, and says how it ended', () =>
  withTempDir(async (folder) => {
    const code = `${staying} console.log("first " + process.cwd()); console.error("second");
      process.on("SIGTERM", () => { console.log("bye"); leave(7); });`;
    const tq = await startTq(['--version'], { env: await preload(folder, code), cwd: folder });
    expect(await tq.waitForLine(/^first/)).toBe(`first ${realpathSync(folder)}`);
    expect(await tq.waitForLine('second')).toBe('second');
    tq.signal('SIGTERM');
    expect(await tq.waitForLine('bye')).toBe('bye');
    expect((await tq.exit).exitCode).toBe(7);
    await expect(tq.waitForLine('never')).rejects.toThrow(/ended before it wrote never/);
  }));

test('a running tq that is killed says by which signal', () =>
  withTempDir(async (folder) => {
    const code = `${staying} console.log("up");`;
    const tq = await startTq(['--version'], { env: await preload(folder, code) });
    await tq.waitForLine('up');
    tq.signal('SIGKILL');
    expect(await tq.exit).toEqual({ exitCode: undefined, signal: 'SIGKILL' });
  }));
