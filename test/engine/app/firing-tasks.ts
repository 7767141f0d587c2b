/** What the children of the tests of firings load. */
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { App } from '../../../src/engine/app/contract.ts';
import { createApp } from '../../../src/engine/app/create-app.ts';
import { context } from '../../../src/engine/task/context.ts';

export function registerFiringTasks(app: App) {
  const about = app.task('about', () => {
    const { schedule, requestId, log } = context();
    log.info('about');
    return { schedule, requestId };
  });
  return {
    about,
    /** Says in the folder that it runs, and ends when there is a file `go`. */
    hold: app.task('hold', async (folder: string) => {
      appendFileSync(join(folder, 'runs'), `${context().id}\n`);
      while (!existsSync(join(folder, 'go'))) await wait(10);
    }),
    /** Fails as long as there is no file `go` in the folder. */
    fail: app.task('fail', { retry: false }, (folder: string) => {
      if (!existsSync(join(folder, 'go'))) throw new Error('not yet');
      return context().schedule;
    }),
    /** Fails once, and once more an hour later. */
    retry: app.task('retry', { retry: { max: 1, delay: '1h', jitter: false } }, () => {
      throw new Error('again');
    }),
    caller: app.task('caller', async () => {
      const { queue } = context();
      return (await about.apply([], { queue })).id;
    }),
    starter: app.task('starter', () => {
      const { queue } = context();
      throw context().replace(about.s().set({ queue }));
    }),
  };
}

export const app = createApp({ builtins: false }, { env: {} });
registerFiringTasks(app);
