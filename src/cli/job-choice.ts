import { createError } from '../engine/core/errors.ts';
import { parseJobQuery } from '../engine/jobs/job-query.ts';
import type { JobChoice } from '../ops/job-choice.ts';
import type { ArgumentDefinition, Values } from './command.ts';
import { readText } from './option-values.ts';
import { type OptionDefinition, sharedOptions } from './options.ts';

/** How the commands that change many jobs are told which: ids, or options that make a query. */
export const choiceArgument: ArgumentDefinition = {
  name: '[ids...]',
  summary: 'ids of jobs; - reads them from stdin, a line each',
  completion: 'ids',
  stdin: true,
};

const where: OptionDefinition = {
  flags: '--where <query>',
  summary: "those that a query takes: 'task:email.* error~timeout age>1h' (docs/queries.md)",
};

export const choiceOptions: readonly OptionDefinition[] = [
  where,
  { ...sharedOptions.queue, summary: 'only jobs of this queue; alone, all of them that the command is about' },
];

export const deadChoiceOptions: readonly OptionDefinition[] = [
  where,
  { flags: '--fingerprint <hash>', summary: 'those of this error, as `tq dlq stats` groups them' },
  { flags: '--all', summary: 'every dead letter of every queue' },
];

export interface ChoiceOptions {
  readonly where?: string;
  readonly queue?: string;
  readonly fingerprint?: string;
  readonly all?: boolean;
}

/**
 * @param command the words of the command after `tq`
 * @throws USAGE unless jobs are chosen in one way; INVALID_QUERY, before anything is opened
 */
export function readChoice(command: string, { arguments: given, options }: Values<ChoiceOptions>): JobChoice {
  const ids = given.map((id = '') => id.trim()).filter((id) => id !== '');
  const asked = readText(options.where, '--where');
  const queue = readText(options.queue, '--queue');
  const fingerprint = readText(options.fingerprint, '--fingerprint');
  const isQuery = asked !== undefined || fingerprint !== undefined;
  const ways = [ids.length > 0, isQuery, options.all === true].filter(Boolean).length;
  if (ways > 1 || (ways === 0 && queue === undefined)) {
    const taken =
      given.length > 0 && ids.length === 0 ? 'no id' : ways === 0 ? 'no jobs' : 'more than one choice of jobs';
    throw createError('USAGE', { message: `${command} was given ${taken}`, next: describeWays(command) });
  }
  if (ids.length > 0) return { ids, ...(queue !== undefined && { queue }) };
  if (options.all === true && queue === undefined) return { all: true };
  const terms = [
    ...(asked === undefined ? [] : [`(${asked})`]),
    ...(fingerprint === undefined ? [] : [`fingerprint:${quote(fingerprint)}`]),
    ...(queue === undefined ? [] : [`queue:${quote(queue)}`]),
  ];
  // The text that was typed is read by itself first: so an error shows the place in it.
  if (asked !== undefined) parseJobQuery(asked, 0);
  const query = terms.length === 1 && asked !== undefined ? asked : terms.join(' ');
  return { where: query };
}

function describeWays(command: string): string {
  const also = command.startsWith('dlq')
    ? ', --fingerprint from `tq dlq stats`, or --all'
    : ', or -Q QUEUE for all of a queue';
  return `name jobs by their ids, give a query with --where${also}; --dry-run only looks`;
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
