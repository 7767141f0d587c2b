import type { GenericSchema } from 'valibot';
import type { ControlAnswers } from '../engine/broker/control-port.ts';
import type { InputOf, Operation } from '../ops/operation.ts';
import { type ArgumentDefinition, type Command, defineCommand, type Example, type Values } from './command.ts';
import { sharedOptions } from './options.ts';
import { type Column, table } from './presentation.ts';
import { type AddressedOptions, presentReplies, REPLY_FIELDS, readAddressed, toRows } from './worker-replies.ts';

interface ControlCommand<Schema extends GenericSchema> {
  readonly name: `control ${string}`;
  readonly summary: string;
  /** What is particular to it; how it ends is said of all of them. */
  readonly details: string;
  readonly arguments: readonly ArgumentDefinition[];
  readonly examples: readonly Example[];
  readonly operation: () => Promise<Operation<Schema, ControlAnswers>>;
  /** Its arguments; whom to ask is read here. */
  readonly read: (given: Values['arguments']) => Readonly<Record<string, unknown>>;
  /** Of the table of replies, behind the name of the worker. */
  readonly columns: readonly Column[];
}

const ENDS = 'Exit codes: 0 all live ones have done it, 1 one refused, 4 some did not answer, 69 none did.';

/** Declares a command that tells live workers something, and shows what each of them answered. */
export function defineControl<Schema extends GenericSchema>(given: ControlCommand<Schema>): Command {
  const { details, read, columns, ...declaration } = given;
  return defineCommand<Schema, ControlAnswers, AddressedOptions>({
    ...declaration,
    details: `${details}\n${ENDS}`,
    options: [sharedOptions.destination],
    json: [...REPLY_FIELDS],
    toInput: (values) =>
      ({ ...read(values.arguments), ...readAddressed(values) }) as unknown as InputOf<
        Operation<Schema, ControlAnswers>
      >,
    present: (replies) =>
      presentReplies(replies, {
        mustAnswer: true,
        blocks: [
          table(
            [{ key: 'worker', title: 'WORKER', as: 'text' }, ...columns],
            toRows(replies, (reply) => reply),
            'no worker has done it',
          ),
        ],
      }),
  });
}
