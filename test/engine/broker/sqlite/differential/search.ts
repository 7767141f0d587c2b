import fc from 'fast-check';
import { compare, type Disagreement, type Pair } from './comparison.ts';
import { formatDifferences } from './difference.ts';
import { type Operation, sequences } from './operation.ts';
import { trim } from './trimming.ts';

export interface SearchOptions {
  readonly runs: number;
  readonly seed: number;
  /** Operations of the longest sequences. */
  readonly maxLength: number;
  /** How long fast-check may shrink what it has found before it is trimmed, in milliseconds; 0 for not at all. */
  readonly shrinkMs?: number;
}

/** A sequence on which two stores differ, as small as it could be made, and the first operation that shows it. */
export interface Counterexample {
  readonly operations: readonly Operation[];
  readonly disagreement: Disagreement;
  /** What repeats the draw, for fast-check. */
  readonly seed: number;
  readonly path: string;
}

/**
 * Draws sequences and runs each on both stores until one makes a difference.
 *
 * @returns undefined when none did
 */
export async function findDisagreement(pair: Pair, options: SearchOptions): Promise<Counterexample | undefined> {
  const { runs, seed, maxLength, shrinkMs = 30_000 } = options;
  let last: Disagreement | undefined;
  const isDifferent = async (operations: readonly Operation[]): Promise<boolean> => {
    const disagreement = await compare(pair, operations);
    last = disagreement ?? last;
    return disagreement !== undefined;
  };
  const property = fc.asyncProperty(sequences(maxLength), async (operations) => !(await isDifferent(operations)));
  const found = await fc.check(property, { numRuns: runs, seed, endOnFailure: true });
  if (!found.failed) return undefined;
  const path = found.counterexamplePath ?? '';
  if (found.counterexample === null) throw found.errorInstance;
  const limits = { numRuns: 1, seed, path, interruptAfterTimeLimit: shrinkMs };
  const shrunk = shrinkMs > 0 ? await fc.check(property, limits) : found;
  const [operations] = shrunk.counterexample ?? found.counterexample;
  const trimmed = await trim(operations, isDifferent);
  // Looking at everything after every operation shows the first that makes a difference.
  const disagreement = (await compare(pair, trimmed, { thorough: true })) ?? last;
  if (!disagreement) throw found.errorInstance;
  return { operations: trimmed, disagreement, seed, path };
}

/** A report for people, with a call that can be pasted into the list of named counterexamples. */
export function describeCounterexample(pair: Pair, { operations, disagreement, seed, path }: Counterexample): string {
  const { reference, subject } = pair;
  return [
    `${subject.name} and ${reference.name} differ (seed ${seed}, path ${path}).`,
    '',
    formatSequence(operations),
    '',
    `After operation ${disagreement.at} (${disagreement.operation.op}):`,
    formatDifferences(disagreement.differences, reference.name, subject.name),
  ].join('\n');
}

function formatSequence(operations: readonly Operation[]): string {
  return `[\n${operations.map((operation) => `  ${formatLiteral(operation)},`).join('\n')}\n]`;
}

/** As a literal of the source language: JSON with plain keys and single quotes. */
function formatLiteral(value: unknown): string {
  if (typeof value === 'string')
    return `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
  if (Array.isArray(value)) return `[${value.map(formatLiteral).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const members = Object.entries(value).map(([key, member]) => {
    return `${/^\w+$/.test(key) ? key : formatLiteral(key)}: ${formatLiteral(member)}`;
  });
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}
