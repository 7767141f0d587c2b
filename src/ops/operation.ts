import type { GenericSchema, InferOutput } from 'valibot';
import type { Session } from './session.ts';
import type { UndoKeeper } from './undo-keeper.ts';

/** What an operation would change, looked up without changing it. */
export interface Plan {
  /** One line in the conditional: `would remove 12 jobs from 2 queues`. */
  readonly summary: string;
  /** Stored jobs that would be changed or removed. Above 0 the gate asks before it goes on. */
  readonly count: number;
  /** What is counted, where that is not jobs: `schedule entries`. */
  readonly things?: string;
  /** The parts of the plan, flat records of one shape. */
  readonly rows: readonly PlanRow[];
}

export type PlanRow = Readonly<Record<string, string | number | boolean | null>>;

/** How far a running operation is. */
export interface Progress {
  readonly done: number;
  /** The plan's count; null when there was no plan, or none that counts. It may be passed, or not reached, when jobs come and go meanwhile. */
  readonly total: number | null;
}

/** What an operation gets of the gate while it runs. */
export interface Run {
  /** What the audit and the undo call this run. */
  readonly id: string;
  /** Call it with the number of jobs done so far, as often as you like. */
  readonly progress: (done: number) => void;
  /**
   * The person asks to stop: what is begun is finished, and the result says how far it came. Who reads it promises to look at it
   * between pages; who never does is ended at once by Ctrl-C.
   */
  readonly signal: AbortSignal;
  /** Where jobs are kept before they are removed or changed; undefined when nothing is to be kept. */
  readonly keeper: UndoKeeper | undefined;
}

/** What a read gets that another one asks for. */
export const READING: Run = { id: '', progress: () => {}, signal: new AbortController().signal, keeper: undefined };

interface Base<Schema extends GenericSchema, Result> {
  /** kebab-case and verb first, as its file is called. */
  readonly name: string;
  /** In the imperative, without a full stop. */
  readonly summary: string;
  /** Checked by the gate; what the functions below get is its output. */
  readonly input: Schema;
  readonly run: (session: Session, input: InferOutput<Schema>, run: Run) => Promise<Result>;
  /** The arguments of `tq` that do the same: shown by every face, and kept by the audit. */
  readonly commandLine: (input: InferOutput<Schema>) => string[];
}

/**
 * What a person can ask for. Its effect: read changes nothing · write adds or changes · destructive removes, or makes something
 * happen that cannot be taken back. The gate decides by it what is shown, asked and refused; what changes something must
 * be able to say beforehand what it would change.
 */
export type Operation<Schema extends GenericSchema = GenericSchema, Result = unknown> = Base<Schema, Result> &
  (
    | { readonly effect: 'read' }
    | {
        readonly effect: 'write' | 'destructive';
        readonly plan: (session: Session, input: InferOutput<Schema>) => Promise<Plan>;
        /** False for what is everyday use and no operation on the broker: a call; late for what is written down only when it has ended. Default true. */
        readonly isAudited?: boolean | 'late';
      }
  );

/** Declares an operation; the types of its functions follow from the schema. */
export function defineOperation<const Schema extends GenericSchema, Result>(
  operation: Operation<Schema, Result>,
): Operation<Schema, Result> {
  return operation;
}

/** The input of an operation as a caller writes it: a key with the value undefined counts as absent. */
export type InputOf<Of> = Of extends { readonly input: infer Schema extends GenericSchema }
  ? Loose<InferOutput<Schema>>
  : never;

type Loose<Input> = Input extends unknown ? { [Key in keyof Input]: Input[Key] | undefined } : never;
