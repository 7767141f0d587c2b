import { createError } from './errors.ts';
import { formatGiven } from './given.ts';

/** Bytes as a number, or a text: `500MB`, `1.5GB`, `262144KB`. A kilobyte has 1024 bytes. */
export type ByteSize = number | string;

const UNIT_BYTES: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/**
 * @param what names the setting in the error, for example `maxMemoryPerChild of the worker`
 * @returns whole bytes, at least one
 * @throws INVALID_OPTION for anything else
 */
export function parseByteSize(size: ByteSize, what: string): number {
  const bytes = typeof size === 'number' ? size : typeof size === 'string' ? parseText(size) : Number.NaN;
  if (Number.isSafeInteger(bytes) && bytes >= 1) return bytes;
  throw createError('INVALID_OPTION', { what, expected: 'bytes, or a text such as 500MB', given: formatGiven(size) });
}

function parseText(text: string): number {
  const found = /^\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*$/i.exec(text);
  if (found === null) return Number.NaN;
  const [, amount = '', unit = ''] = found;
  return Math.round(Number(amount) * (UNIT_BYTES[unit.toLowerCase()] as number));
}
