import { createRunClock } from './clock.ts';
import { type Difference, listDifferences } from './difference.ts';
import { type Observation, observe } from './observation.ts';
import { type Operation, perform } from './operation.ts';
import type { Plain } from './plain.ts';
import { type Store, TooSlow } from './store.ts';
import { createWorld, type World } from './world.ts';

/** The two stores of a comparison: what the first does is right. */
export interface Pair {
  readonly reference: Store;
  readonly subject: Store;
  /** Gives key prefixes that nobody has used. */
  createPrefix(): string;
}

/** The first operation after which the two sides differ. */
export interface Disagreement {
  /** Index of the operation. */
  readonly at: number;
  readonly operation: Operation;
  readonly differences: readonly Difference[];
}

/** After every so many operations everything is looked at; after the others what they have touched. */
const EVERYTHING_EVERY = 10;

/** How often a run may be made void by a machine that stood still. */
const MAX_RUNS = 5;

/**
 * Runs a sequence on both sides, each operation on one and then on the other at the same instant, and compares what is seen.
 *
 * @param thorough looks at everything after every operation, to find the first that makes a difference
 * @returns undefined when the two sides agree
 */
export async function compare(
  pair: Pair,
  operations: readonly Operation[],
  { thorough = false } = {},
): Promise<Disagreement | undefined> {
  for (let run = 1; ; run += 1) {
    try {
      return await runOnce(pair, operations, thorough);
    } catch (error) {
      if (!(error instanceof TooSlow) || run === MAX_RUNS) throw error;
    }
  }
}

async function runOnce(
  { reference, subject, createPrefix }: Pair,
  operations: readonly Operation[],
  thorough: boolean,
): Promise<Disagreement | undefined> {
  const clock = createRunClock();
  const worlds = await Promise.all([reference, subject].map((store) => createWorld(store, createPrefix(), clock)));
  // Traces are stored with a job, and name lines of this file.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    for (const [at, operation] of operations.entries()) {
      const everything = thorough || at % EVERYTHING_EVERY === EVERYTHING_EVERY - 1 || at === operations.length - 1;
      const outcomes: unknown[] = [];
      for (const world of worlds) outcomes.push(await runOn(world, operation));
      if (operation.op === 'advance') clock.advance(operation.ms);
      const [expected, got] = await Promise.all(
        worlds.map((world, side) => observe(world, outcomes[side], everything)),
      );
      assertAnswered(operation, expected);
      const differences = listDifferences(toTree(expected), toTree(got));
      if (differences.length === 0) continue;
      // What was seen counts only if it was seen in time.
      for (const world of worlds) await world.store.hold(world.prefix);
      return { at, operation, differences };
    }
    return undefined;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    await Promise.all(worlds.map((world) => world.close()));
    await Promise.all(worlds.map((world) => world.store.clear(world.prefix)));
  }
}

async function runOn(world: World, operation: Operation): Promise<unknown> {
  const outcome = await perform(world, operation).catch((error: unknown) => error);
  world.step += 1;
  // The stream is gone with the queue, and a new one may begin in the millisecond in which the old one ended.
  if (operation.op === 'obliterate') for (const reader of world.readers) reader.lastId = '0';
  await world.store.hold(world.prefix);
  return outcome;
}

/** A script that fails in the middle leaves what nobody should copy: no operation may lead there. */
function assertAnswered(operation: Operation, observation: Observation | undefined): void {
  const { outcome, notes } = observation ?? {};
  const [failure] = /"message":"ERR [^"]*/.exec(JSON.stringify([outcome, notes])) ?? [];
  if (failure !== undefined) throw new Error(`Redis itself fails at ${JSON.stringify(operation)}: ${failure}`);
}

/** The observation as a tree whose first branch is what the operation gave. */
function toTree(observation: Observation | undefined): Plain | undefined {
  return observation && { ...observation };
}
