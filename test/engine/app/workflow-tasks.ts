import type { App } from '../../../src/engine/app/contract.ts';
import { createApp } from '../../../src/engine/app/create-app.ts';
import { chain, group } from '../../../src/engine/canvas/constructs.ts';
import { context } from '../../../src/engine/task/context.ts';

/** Tasks that workflows are made of; child processes import this module and take the app below, which knows no queue of the test. */
export function registerWorkflowTasks(app: App) {
  const add = app.task('add', (a: number, b: number) => a + b);
  const sum = app.task('sum', (values: number[]) => values.reduce((a, b) => a + b, 0));
  const echo = app.task('echo', (value: unknown) => value);
  /** Has the value of a chord in place of its own. */
  const replace = app.task('replace', (n: number): number => {
    const { queue, replace } = context();
    throw replace(chain(group([add.s(n, 1).set({ queue }), add.s(n, 2).set({ queue })]), sum.s().set({ queue })));
  });
  /** Adds members to its group, as many as it says. */
  const grow = app.task('grow', async (count: number) => {
    for (let index = 0; index < count; index += 1)
      await context().add(add.s(index, 100).set({ queue: context().queue }));
    return count;
  });
  return { add, sum, echo, replace, grow };
}

export const app = createApp({ builtins: false }, { env: {} });
registerWorkflowTasks(app);
