import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { commandIndex } from '../../src/cli/command-index.ts';
import { ensureBuilt } from '../support/build.ts';
import { projectFolder } from '../support/project-folder.ts';

/** What the short pieces of code in docs/ use and do not declare. A block that imports from taskq stands on its own. */
const SURROUNDINGS = `
import { chain, chord, context, createApp, group, signatureFrom, type Settled, type Task, TaskFailed } from 'taskq';
declare const add: Task<[a: number, b: number], number>, sum: Task<[values: number[]], number>;
declare const report: Task<[given: unknown], void>;
const sendEmail = createApp().task('mail', async (mail: { to: string; subject: string; text: string }) => mail.to);
declare const to: string, subject: string, text: string, id: string;
declare const people: readonly string[];
interface Database { close(): Promise<void> }
declare function openDatabase(): Promise<Database>;
declare function alertPeople(text: string): void;
`;

describe('the documentation', () => {
  test('quotes only code of the examples in the README', async () => {
    const examples = await Promise.all((await listFiles('examples', '.ts')).map(read));
    const blocks = await listBlocks('README.md');
    expect(blocks.length).toBeGreaterThan(0);
    expect(blocks.filter((block) => !examples.some((example) => example.includes(block)))).toEqual([]);
  });

  test('shows only code that the compiler accepts', async () => {
    await ensureBuilt();
    // Inside the checkout, so that the package finds itself by its name; .tq/ is ignored by git.
    await mkdir(join(projectFolder, '.tq'), { recursive: true });
    const folder = await mkdtemp(join(projectFolder, '.tq', 'documentation-'));
    try {
      for (const file of await listFiles('docs', '.md')) {
        for (const [index, block] of (await listBlocks(file)).entries()) {
          const name = `${file.replace(/\W+/g, '-')}-${index + 1}.ts`;
          await writeFile(join(folder, name), complete(block));
        }
      }
      const config = { extends: relative(folder, join(projectFolder, 'examples/newsletter/tsconfig.json')) };
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ ...config, include: ['*.ts'] }));
      const tsc = join(projectFolder, 'node_modules', '.bin', 'tsc');
      const { stdout, exitCode } = await execa(tsc, ['-p', folder], { reject: false });
      expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 0 });
      expect((await readdir(folder)).length).toBeGreaterThan(5);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('has no link that leads nowhere', async () => {
    const files = [
      'README.md',
      'CHANGELOG.md',
      ...(await listFiles('docs', '.md')),
      ...(await listFiles('examples', '.md')),
    ];
    const dead: string[] = [];
    for (const file of files) {
      for (const [, target = ''] of (await read(file)).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        if (!(await leadsSomewhere(file, target))) dead.push(`${file}: ${target}`);
      }
    }
    expect(dead).toEqual([]);
  });

  test('lists every command in the README', async () => {
    const readme = await read('README.md');
    const shown = commandIndex.filter(({ hidden }) => hidden !== true).map(({ name }) => name);
    expect(shown.filter((name) => !readme.includes(`\`tq ${name}`))).toEqual([]);
  });
});

function complete(block: string): string {
  if (/from '(taskq|bullmq)'/.test(block)) return block;
  const declaresApp = /\bconst app =/.test(block);
  return `${SURROUNDINGS}${declaresApp ? '' : 'const app = createApp();\n'}${block}`;
}

async function leadsSomewhere(file: string, target: string): Promise<boolean> {
  const [path = '', anchor] = target.split('#');
  const found = path === '' ? file : join(dirname(file), path);
  const stats = await stat(join(projectFolder, found)).catch(() => undefined);
  if (stats === undefined) return false;
  if (anchor === undefined) return true;
  const headings = (await read(found)).matchAll(/^#+ (.+)$/gm);
  return [...headings].some(([, heading = '']) => toAnchor(heading) === anchor);
}

/** As GitHub makes them. */
function toAnchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

async function listBlocks(file: string): Promise<string[]> {
  return [...(await read(file)).matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);
}

/** @returns paths relative to the checkout, without what the example itself has written */
async function listFiles(folder: string, ending: string): Promise<string[]> {
  const entries = await readdir(join(projectFolder, folder), { recursive: true });
  return entries
    .filter((entry) => entry.endsWith(ending) && !entry.includes('.tq'))
    .map((entry) => join(folder, entry));
}

function read(file: string): Promise<string> {
  return readFile(join(projectFolder, file), 'utf8');
}
