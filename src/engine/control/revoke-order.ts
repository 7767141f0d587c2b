import { isRecord } from '../core/envelope.ts';
import { createError } from '../core/errors.ts';
import type { Happened, Revocation } from '../core/revocation.ts';

/** What the control command `revoke` tells the workers. */
export interface RevokeOrder {
  readonly jobs: readonly RevokeTarget[];
  readonly revocation: Revocation;
  /** Do not wait for functions: end their processes. */
  readonly terminate: boolean;
  /** How long a function may take to end after its signal. */
  readonly graceMs: number;
}

export interface RevokeTarget {
  readonly id: string;
  readonly queue: string;
  /** The one that has it, as the broker knows it. */
  readonly worker: string | null;
}

/** What a worker says about a job that it held. */
export interface RevokeReceipt {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly happened: Happened;
}

/** A revoked job that a worker did not run, or not to its end. */
export interface RefusedJob extends RevokeReceipt {
  /** When, epoch ms. */
  readonly at: number;
  /** Who revoked it. */
  readonly by: string | null;
}

/** @throws INVALID_OPTION for what is no order: an asker of another version */
export function parseRevokeOrder(args: unknown): RevokeOrder {
  if (isRecord(args) && isRevocation(args['revocation']) && Array.isArray(args['jobs'])) {
    const { jobs, revocation, terminate, graceMs } = args;
    const given = { terminate: terminate === true, graceMs: typeof graceMs === 'number' ? graceMs : 0 };
    if (jobs.every(isTarget)) return { jobs, revocation, ...given };
  }
  const what = 'the arguments of the control command "revoke"';
  throw createError('INVALID_OPTION', { what, expected: 'the jobs and their revocation', given: typeof args });
}

/** Reads the answer of a worker; what is no receipt is left out. */
export function readReceipts(value: unknown): RevokeReceipt[] {
  return Array.isArray(value) ? value.filter(isReceipt) : [];
}

function isTarget(value: unknown): value is RevokeTarget {
  return isRecord(value) && typeof value['id'] === 'string' && typeof value['queue'] === 'string';
}

function isRevocation(value: unknown): value is Revocation {
  if (!isRecord(value)) return false;
  const { at, by } = value;
  return Number.isSafeInteger(at) && Math.abs(at as number) <= LAST_DATE && (by === null || typeof by === 'string');
}

/** Dates end here. */
const LAST_DATE = 8.64e15;

function isReceipt(value: unknown): value is RevokeReceipt {
  return isTarget(value) && typeof (value as { happened?: unknown }).happened === 'string';
}
