/**
 * What a signature is made of, as JSON carries it: `toJSON()` gives it and `signatureFrom()` takes it.
 *
 * A chord is a chain of a group and its body. Options are checked and their durations in milliseconds. What stands in here is
 * frozen and shared: a signature in two workflows is one object.
 */
import type { ErrorPolicy, StepOptions } from '../core/workflow/graph.ts';

export type SignatureContent = StepContent | ChainContent | GroupContent;

interface Callbacks {
  /** Called with the value when it has succeeded. */
  readonly links?: readonly SignatureContent[];
  /** Called with what failed when it is dead. */
  readonly linkErrors?: readonly SignatureContent[];
}

export interface StepContent extends Callbacks {
  readonly kind: 'task';
  readonly task: string;
  readonly args: readonly unknown[];
  /** Takes no value of the step before. */
  readonly immutable?: true;
  readonly options?: SignatureStepOptions;
}

export interface ChainContent extends Callbacks {
  readonly kind: 'chain';
  /** At least one. */
  readonly steps: readonly SignatureContent[];
}

export interface GroupContent extends Callbacks {
  readonly kind: 'group';
  readonly members: readonly SignatureContent[];
  /** Default fail. */
  readonly onError?: ErrorPolicy;
  /** Default leave. */
  readonly rest?: 'leave' | 'cancel';
}

export interface SignatureStepOptions extends StepOptions {
  readonly queue?: string;
}

/** Deeper ones would overflow the stack of a reader: as JSON, see core/json.ts. A chain in a chain adds no level. */
export const MAX_LEVELS = 500;
