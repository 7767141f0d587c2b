import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';

/** Lists every module that is loaded while the CLI answers, one a line on stderr. */
const PROGRAM = `
import { registerHooks } from 'node:module';
import { PassThrough } from 'node:stream';
const loaded = [];
registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
const { runCli } = await import(process.env.MAIN);
const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
await runCli(process.env.WORDS.split(' '), { streams: { stdin, stdout, stderr }, cwd: '/', clock: { now: () => 0, monotonic: () => 0 } });
process.stdout.write(loaded.join('\\n'));
`;

async function listLoaded(words: string): Promise<string[]> {
  const env = { MAIN: join(import.meta.dirname, '../../src/cli/main.ts'), WORDS: words };
  const { stdout } = await execa(process.execPath, ['--input-type=module', '--eval', PROGRAM], { env });
  return stdout.split('\n').filter((url) => !url.startsWith('node:'));
}

test('`tq --help` loads commander and the index, and no command', async () => {
  const loaded = await listLoaded('--help');
  const packages = loaded.flatMap((url) => /node_modules\/([^/]+)/.exec(url)?.[1] ?? []);
  expect([...new Set(packages)]).toEqual(['commander']);
  expect(loaded.filter((url) => /\/(commands|ops|engine\/(?!runtime\/system-clock))/.test(url))).toEqual([]);
});

test('the help of a command loads its declaration, and neither its operation nor a driver', async () => {
  const loaded = await listLoaded('purge --help');
  expect(loaded.some((url) => url.endsWith('/commands/purge.ts'))).toBe(true);
  expect(loaded.filter((url) => /\/ops\/|valibot|bullmq|ioredis|node_modules\/pg|pino|chalk/.test(url))).toEqual([]);
});
