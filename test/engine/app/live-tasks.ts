/** What the children of the live tests load. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { App } from '../../../src/engine/app/contract.ts';
import { createApp } from '../../../src/engine/app/create-app.ts';
import { context } from '../../../src/engine/task/context.ts';

/** Registers the tasks; the app of the children has no broker of its own. */
export function registerTasks(app: App) {
  const add = app.task('add', (a: number, b: number) => a + b);
  const holdDeafly = (file: string): Promise<never> => {
    appendFileSync(file, 'holding\n');
    return new Promise(() => {});
  };
  return {
    add,
    /** Ends its process the first times that it runs; the file counts. */
    fragile: app.task('fragile', (file: string, times: number) => {
      const runs = existsSync(file) ? readFileSync(file, 'utf8').length : 0;
      appendFileSync(file, 'x');
      if (runs < times) process.exit(1);
      return { runs, attempt: context().attempt };
    }),
    broken: app.task('broken', (what: string): void => {
      throw Object.assign(new RangeError(`${what} is out of range`), { code: 'ERANGE' });
    }),
    deadly: app.task('deadly', (): void => process.exit(7)),
    /** Says in the file that it has run. */
    write: app.task('write', async (file: string, word: string, ms: number) => {
      await wait(ms);
      appendFileSync(file, `${word}\n`);
    }),
    block: app.task('block', { timeLimit: 1500 }, (): void => {
      for (;;);
    }),
    sleep: app.task('sleep', (ms: number) => wait(ms)),
    deaf: app.task('deaf', holdDeafly),
    deafOnce: app.task('deaf-once', { delivery: 'at-most-once' }, holdDeafly),
    /** Says in the file that it runs, and ends when there is a file `go` in the folder. */
    sync: app.task('sync', { unique: { until: 'started' } }, async (file: string, folder: string) => {
      appendFileSync(file, 'x');
      while (!existsSync(join(folder, 'go'))) await wait(10);
    }),
    /** Reads the result of another job from within a child. */
    lookUp: app.task('look-up', async (id: string) => app.result(id).get()),
    /** Calls another task from within a child. */
    caller: app.task('caller', async () => {
      const { queue } = context();
      const result = await add.apply([20, 22], { queue });
      return await result.get({ timeout: '20s' });
    }),
  };
}

export const app = createApp({ builtins: false }, { env: {} });
registerTasks(app);
