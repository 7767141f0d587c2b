import fc from 'fast-check';
import type { Definition } from './definition.ts';
import { adding } from './operations/adding.ts';
import { changing } from './operations/changing.ts';
import { families } from './operations/families.ts';
import { governing } from './operations/governing.ts';
import { reading } from './operations/reading.ts';
import { removing } from './operations/removing.ts';
import { scheduling } from './operations/scheduling.ts';
import { working } from './operations/working.ts';
import type { World } from './world.ts';

const GROUPS = { adding, families, working, governing, changing, removing, scheduling, reading };
const OPERATIONS = {
  ...{ ...adding, ...families, ...working, ...governing },
  ...{ ...changing, ...removing, ...scheduling, ...reading },
};

type Table = typeof OPERATIONS;
type DataOf<Kind extends keyof Table> = Table[Kind] extends Definition<infer Data> ? Data : never;

/** One call of BullMQ as data, so that a sequence can be drawn, shrunk, printed and run again. */
export type Operation = { [Kind in keyof Table]: { readonly op: Kind } & DataOf<Kind> }[keyof Table];

/** How often the operations of a group come, or a single one, as a multiple of its own weight; 1 where it says nothing. */
type Emphasis = Partial<Record<keyof typeof GROUPS | keyof Table, number>>;

/**
 * What the sequences dwell on. A sequence of everything seldom gets anywhere: what one operation has begun another has
 * paused, removed or forgotten. So most of them leave out what the others are for.
 */
const THEMES: readonly Emphasis[] = [
  {},
  { families: 0.2, governing: 0, advance: 1, scheduling: 0, removing: 0.2, addDeduplicated: 0.2, changing: 2 },
  { families: 4, add: 0.3, governing: 0, advance: 0.7, scheduling: 0, addDeduplicated: 0, working: 1.5 },
  { addDeduplicated: 4, add: 0.3, families: 0, governing: 0, advance: 1, scheduling: 0, reading: 0, removing: 0.3 },
  { scheduling: 4, add: 0.3, families: 0, governing: 0.2, advance: 1.5, addDeduplicated: 0.2, reading: 0.3 },
  { families: 0.1, governing: 2, advance: 1, scheduling: 0.1, removing: 0.3, changing: 0.5 },
  {
    families: 0.2,
    governing: 0,
    advance: 1.5,
    take: 1.5,
    checkStalled: 10,
    removing: 0.2,
    reading: 0.1,
    changing: 0.3,
  },
];

/** Sequences of up to `maxLength` operations. */
export function sequences(maxLength: number): fc.Arbitrary<Operation[]> {
  const themes = THEMES.map((emphasis) =>
    fc.array(fc.oneof(...choices(emphasis)), { minLength: 1, maxLength, size: 'max' }),
  );
  return fc.oneof(...themes);
}

function choices(emphasis: Emphasis): { weight: number; arbitrary: fc.Arbitrary<Operation> }[] {
  return Object.entries(GROUPS).flatMap(([group, definitions]) =>
    Object.entries<unknown>(definitions).map(([op, definition]) => {
      const { weight, data } = definition as Definition<object>;
      const factor = emphasis[op as keyof Emphasis] ?? emphasis[group as keyof Emphasis] ?? 1;
      // Weights are whole numbers.
      return {
        weight: Math.round(weight * factor * 10),
        arbitrary: data.map((drawn) => ({ op, ...drawn }) as Operation),
      };
    }),
  );
}

/** Runs one operation; gives what it returned, or throws what it threw. */
export async function perform(world: World, operation: Operation): Promise<unknown> {
  const definition = OPERATIONS[operation.op] as Definition<never>;
  return definition.perform(world, operation as never);
}
