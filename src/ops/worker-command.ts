import { type InferOutput, type ObjectEntries, type StrictObjectSchema, strictObject } from 'valibot';
import type { Addressed } from '../engine/control/ask-live-workers.ts';
import { defineOperation, type Plan } from './operation.ts';
import type { Session } from './session.ts';
import { addressedInput, askWorkers, formatAddressed } from './worker-replies.ts';

interface WorkerCommand<Entries extends ObjectEntries> {
  /** Of the operation. */
  readonly name: string;
  readonly summary: string;
  /** As the workers know it; `tq control` has it under the same word. */
  readonly command: string;
  /** What it takes beside whom it asks. It is what the workers get. */
  readonly input: Entries;
  /** What they would be asked for: `to grow by 2 slots`. */
  readonly aim: (input: InferOutput<StrictObjectSchema<Entries, undefined>>) => string;
  /** The arguments of `tq control COMMAND` that say the same. */
  readonly words: (input: InferOutput<StrictObjectSchema<Entries, undefined>>) => string[];
}

/** Declares an operation that tells live workers something, and shows what each of them answered. */
export function defineWorkerCommand<const Entries extends ObjectEntries>(given: WorkerCommand<Entries>) {
  const { name, summary, command, aim, words } = given;
  type Own = InferOutput<StrictObjectSchema<Entries, undefined>>;
  const split = (input: object): { own: Own; addressed: Addressed } => {
    const { destinations, timeoutMs, ...own } = input as Addressed & Record<string, unknown>;
    return {
      own: own as Own,
      addressed: { ...(destinations && { destinations }), ...(timeoutMs !== undefined && { timeoutMs }) },
    };
  };
  return defineOperation({
    name,
    effect: 'write',
    summary,
    input: strictObject({ ...given.input, ...addressedInput }),
    async plan(session, input) {
      const { own, addressed } = split(input);
      return planAsking(session, addressed, (workers) => `would ask ${workers} ${aim(own)}`);
    },
    run(session, input) {
      const { own, addressed } = split(input);
      return askWorkers(session, command, addressed, own);
    },
    commandLine(input) {
      const { own, addressed } = split(input);
      return ['control', command, ...words(own), ...formatAddressed(addressed)];
    },
  });
}

/** Whom an operation would ask. No stored job is changed by it. */
export async function planAsking(
  session: Session,
  { destinations }: Addressed,
  summarise: (workers: string) => string,
): Promise<Plan> {
  const broker = await session.broker();
  const nodes = (await broker.control.listNodes()).filter(({ name }) => destinations?.includes(name) ?? true);
  return {
    summary: summarise(nodes.length === 1 ? '1 worker' : `${nodes.length} workers`),
    count: 0,
    rows: nodes.map(({ name, host, pid }) => ({ worker: name, host, pid })),
  };
}
