import { appendFileSync, readFileSync } from 'node:fs';
import type { App } from '../../../src/engine/app/contract.ts';
import { chain, chord } from '../../../src/engine/canvas/constructs.ts';
import { context } from '../../../src/engine/task/context.ts';

export const STEPS = ['a', 'b', 'c', 'called', 'd', 'e', 'f'];

/** What the workflow gives. */
export const VALUE = { f: { e: [{ b: { a: null } }, { d: { c: { a: null } } }] } };

/**
 * A chain with a chord in it and a callback: every kind of hand-over that there is. Each step gives its name and what it was given, and
 * writes into a file, which outlives its process, that it runs.
 */
export function defineWorkflow(app: App, file: string) {
  const step = app.task('step', async (...args: unknown[]) => {
    const name = args.at(-1) as string;
    appendFileSync(file, `${context().queue} ${name}\n`);
    return { [name]: args.length > 1 ? args[0] : null };
  });
  const s = (name: string) => step.s(name);
  const branch = chain(s('c'), s('d') as never);
  const middle = chord([s('b'), branch] as never, s('e') as never);
  return chain(s('a'), middle as never, s('f').link(s('called') as never) as never);
}

/** The steps that ran for a queue, in order, those of killed processes too. */
export function readRan(file: string, queue: string): string[] {
  const lines = readFileSync(file, { encoding: 'utf8', flag: 'a+' }).split('\n');
  return lines.filter((line) => line.startsWith(`${queue} `)).map((line) => line.slice(queue.length + 1));
}

/** As short as a worker allows: another one takes the jobs of a dead one after that. */
export const LOCK = '5s';
