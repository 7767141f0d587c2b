import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createStore } from '../engine/app/live-app.ts';
import { brokersUnderTest } from '../support/brokers.ts';
import { ensureBuilt } from '../support/build.ts';
import { projectFolder } from '../support/project-folder.ts';
import { createFolderOfRun } from '../support/run-folder.ts';
import { type RunningTq, runTq, startTq } from '../support/tq-command.ts';
import { splitWords } from './split-words.ts';

const APP = `
import { createApp } from '${pathToFileURL(join(projectFolder, 'dist/index.js'))}';
export const app = createApp({ queues: ['work'], builtins: false });
app.task('report', (who) => 'reported to ' + who);
`;

describe.each(brokersUnderTest().filter(({ name }) => name === 'sqlite'))(
  'with real processes on $name',
  (underTest) => {
    let url: string;
    let app: string;
    const workers: RunningTq[] = [];
    beforeAll(async () => {
      await ensureBuilt();
      url = await createStore(underTest);
      app = join(createFolderOfRun('schedule'), 'app.mjs');
      await writeFile(app, APP);
    });
    afterEach(async () => {
      for (const worker of workers.splice(0)) {
        worker.signal('SIGKILL');
        await worker.exit;
      }
    });

    const tq = async (...argv: string[]) => {
      const { exitCode, json, stderr } = await runTq([...argv, '--json', '--broker', url], { timeoutMs: 60_000 });
      return { exitCode, stderr, document: exitCode === 2 || exitCode === 3 ? undefined : json() };
    };

    test('an entry is added, looked at, fired, paused, removed and brought back', { timeout: 120_000 }, async () => {
      const cron = ['--cron', '0 3 * * *', '--timezone', 'Europe/Berlin'];
      const add = ['schedule', 'add', 'nightly', '--task', 'report', '--args', '["ada"]', ...cron, '--app', app];
      expect((await tq(...add, '--dry-run')).document).toMatchObject({ dryRun: true, operation: 'schedule add' });
      expect((await tq('schedule', 'list')).document).toEqual([]);
      expect(await tq(...add)).toMatchObject({
        exitCode: 0,
        document: { queue: 'work', outcome: 'added', checked: true },
      });
      expect((await tq(...add, '--task', 'reprot')).stderr).toContain('did you mean "report"?');

      const [listed] = (await tq('schedule', 'list')).document as Record<string, unknown>[];
      expect(listed).toMatchObject({ name: 'nightly', task: 'report', enabled: true, source: 'operator', runs: 0 });
      const shown = (await tq('schedule', 'show', 'nightly')).document as { nextAt: number; due: { at: number }[] };
      expect(shown.nextAt).toBe(listed?.['nextAt']);
      expect((await tq('schedule', 'next', 'nightly', '-n', '5')).document).toEqual(shown.due);
      expect((await tq('inspect', 'scheduled')).document).toMatchObject([{ id: `repeat:nightly:${shown.nextAt}` }]);

      const worker = await startTq(['worker', '--app', app, '--broker', url, '--concurrency', '1']);
      workers.push(worker);
      await worker.waitForLine('"message":"worker ready"');
      expect(await tq('schedule', 'run', 'nightly', '--wait', '--timeout', '30s')).toMatchObject({
        exitCode: 0,
        document: { state: 'SUCCESS', result: 'reported to ada' },
      });

      expect((await tq('schedule', 'pause', 'nightly')).document).toMatchObject({
        entries: [{ name: 'nightly', enabled: false, nextAt: null, changed: true }],
      });
      expect((await tq('inspect', 'scheduled')).document).toEqual([]);
      expect((await tq('schedule', 'resume', 'nightly')).document).toMatchObject({
        entries: [{ nextAt: shown.nextAt }],
      });

      expect((await tq('schedule', 'remove', 'nightly')).exitCode).toBe(2);
      const { removed } = (await tq('schedule', 'remove', 'nightly', '--yes')).document as {
        removed: { restore: string }[];
      };
      expect((await tq('schedule', 'show', 'nightly')).exitCode).toBe(3);
      const [, ...again] = splitWords(removed[0]?.restore ?? '');
      expect(await tq(...again)).toMatchObject({ exitCode: 0, document: { outcome: 'added', nextAt: shown.nextAt } });
      expect((await tq(...add)).document).toMatchObject({ outcome: 'unchanged' });
    });

    test('tq doctor says that no beat leads', { timeout: 60_000 }, async () => {
      await tq('schedule', 'add', 'hourly', '--task', 'report', '--every', '1h');
      const { document } = await tq('doctor');
      expect((document as { check: string }[]).filter(({ check }) => check === 'beat')).toMatchObject([
        { status: 'warning', message: expect.stringContaining('no beat leads') },
      ]);
      expect((await tq('schedule', 'list')).stderr).toContain('no beat leads');
    });
  },
);
