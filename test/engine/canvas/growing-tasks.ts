/** What the children of the tests of workflows load. */
import type { App } from '../../../src/engine/app/contract.ts';
import { createApp } from '../../../src/engine/app/create-app.ts';
import { chain, chord } from '../../../src/engine/canvas/constructs.ts';
import { context } from '../../../src/engine/task/context.ts';

/** The queue of each test is its own, and the children's app knows none. */
function here<Step extends { set(options: { queue: string }): Step }>(step: Step): Step {
  return step.set({ queue: context().queue });
}

/** Registers tasks that bring more steps into their workflow; the app of the children has no broker of its own. */
export function registerGrowing(app: App) {
  const word = app.task('word', async (given: string, mark: string) => `${given}${mark}`);
  const join = app.task('join', async (words: readonly string[]) => words.join(' '));
  return {
    word,
    join,
    split: app.task('split', async (given: string): Promise<string> => {
      throw context().replace(chord([here(word.s(given, '1')), here(word.s(given, '2'))], here(join.s())));
    }),
    grow: app.task('grow', async (given: string) => {
      await context().add(chain(here(word.s(given, '+')), here(word.s('+'))));
      return given;
    }),
    lonely: app.task('lonely', async () => {
      await context().add(word.s('never', '!'));
    }),
    deadly: app.task('deadly', async (): Promise<string> => process.exit(7)),
  };
}

export const app = createApp({ broker: 'redis://unset', builtins: false }, { env: {} });
registerGrowing(app);
