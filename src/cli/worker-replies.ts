import type { ControlAnswer, ControlAnswers } from '../engine/broker/control-port.ts';
import type { ExitCode } from '../engine/core/error-catalogue.ts';
import type { Values } from './command.ts';
import { readNames } from './option-values.ts';
import type { Block, Presentation, Row } from './presentation.ts';

/** The options of every command that asks workers, as commander gives them. */
export interface AddressedOptions {
  readonly destination?: readonly string[];
}

/** Whom the arguments address. @throws INVALID_OPTION */
export function readAddressed({ options, timeoutMs }: Values<AddressedOptions>): {
  destinations: string[] | undefined;
  timeoutMs: number | undefined;
} {
  return { destinations: readNames(options.destination, '--destination'), timeoutMs };
}

/** What all of them print with `--json`. */
export const REPLY_FIELDS = ['workers', 'silent'] as const;

interface Shown {
  readonly blocks: readonly Block[];
  /** Further fields of the JSON document. */
  readonly json?: Readonly<Record<string, unknown>>;
  readonly notes?: readonly string[];
  /** Silence is a failure of what was asked for, not only a gap in what is shown. */
  readonly mustAnswer?: boolean;
}

/** The replies of workers as every command shows them: who is silent and what went wrong go to stderr. */
export function presentReplies(
  replies: ControlAnswers,
  { blocks, json, notes = [], mustAnswer = false }: Shown,
): Presentation {
  const { answers, silent } = replies;
  return {
    json: { workers: Object.fromEntries([...answers].map(toEntry)), silent, ...json },
    blocks: answers.size === 0 ? [] : blocks,
    problems: describeGaps(replies),
    notes,
    exitCode: exitCodeOf(replies, mustAnswer),
  };
}

/** cli.md: 69 when no worker is live, and when none of those that were asked answers; 1 when one answers with an error. */
export function exitCodeOf({ answers, silent }: ControlAnswers, mustAnswer = false): 0 | ExitCode {
  if (answers.size === 0) return 69;
  if ([...answers.values()].some(({ ok }) => !ok)) return 1;
  return mustAnswer && silent.length > 0 ? 4 : 0;
}

/** What is missing from the replies, a line each. */
export function describeGaps({ answers, silent }: ControlAnswers): string[] {
  const errors = [...answers].flatMap(([name, answer]) => (answer.ok ? [] : [`${name}: ${answer.error.message}`]));
  if (answers.size === 0 && silent.length === 0) return ['no worker is live; `tq worker` starts one'];
  return [...errors, ...(silent.length === 0 ? [] : [`no answer from ${silent.join(', ')}`])];
}

/** A row for each thing that a worker listed, its name first. */
export function listRows({ answers }: ControlAnswers): Row[] {
  return [...answers].flatMap(([worker, answer]) =>
    answer.ok && Array.isArray(answer.value) ? answer.value.map((row) => ({ worker, ...row })) : [],
  );
}

/** One row a worker, of those that answered with a value. */
export function toRows({ answers }: ControlAnswers, toRow: (value: Row) => Row): Row[] {
  return [...answers].flatMap(([worker, answer]) =>
    answer.ok ? [{ worker, ...toRow((answer.value ?? {}) as Row) }] : [],
  );
}

/** fromEntries defines own properties, so a worker called `__proto__` stays an entry. */
function toEntry([name, answer]: readonly [string, ControlAnswer]): [string, unknown] {
  return [name, answer.ok ? (answer.value ?? null) : { error: answer.error }];
}
