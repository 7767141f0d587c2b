import type fc from 'fast-check';
import type { World } from './world.ts';

/** One kind of operation: how often it comes, what it is given, and what it does in a world. */
export interface Definition<Data> {
  readonly weight: number;
  readonly data: fc.Arbitrary<Data>;
  /** Gives what the operation returned, or throws what it threw. */
  perform(world: World, data: Data): Promise<unknown>;
}

export function define<Data extends object>(
  weight: number,
  data: fc.Arbitrary<Data>,
  perform: Definition<Data>['perform'],
): Definition<Data> {
  return { weight, data, perform };
}
