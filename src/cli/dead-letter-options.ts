import { parseJobQuery } from '../engine/jobs/job-query.ts';
import type { DeadLetterChoice } from '../ops/dead-letters.ts';
import { readNames, readText } from './option-values.ts';
import { type OptionDefinition, sharedOptions } from './options.ts';

/** The options by which dead letters are chosen. */
export const deadLetterOptions = [
  sharedOptions.queues,
  {
    flags: '--where <query>',
    summary: "only those that a query takes: 'task:email.* error~timeout' (docs/queries.md)",
  },
  { flags: '--fingerprint <hash>', summary: 'those of this error, as `tq dlq stats` groups them' },
] as const satisfies readonly OptionDefinition[];

export interface DeadLetterOptions {
  readonly queues?: readonly string[];
  readonly where?: string;
  readonly fingerprint?: string;
}

type Given = { readonly [Key in keyof DeadLetterChoice]-?: DeadLetterChoice[Key] | undefined };

/** @throws INVALID_QUERY, before anything is opened */
export function readDeadLetterChoice(options: DeadLetterOptions): Given {
  const where = readText(options.where, '--where');
  if (where !== undefined) parseJobQuery(where, 0);
  return {
    queues: readNames(options.queues, '--queues'),
    where,
    fingerprint: readText(options.fingerprint, '--fingerprint')?.toLowerCase(),
  };
}
