import { createError } from '../core/errors.ts';

/** What the placeholders of a name stand for. */
export interface NameParts {
  readonly host: string;
  readonly pid: number;
  /** 1 when the name was not numbered yet. */
  readonly number?: number;
}

/**
 * The name that a template gives: `%h` is the host name, `%p` the process id, `%n` the number, `%%` a percent sign.
 *
 * @throws INVALID_OPTION for a name that is empty, long, or would be ambiguous in a list of names
 */
export function formatWorkerName(template: string, { host, pid, number = 1 }: NameParts): string {
  const values: Record<string, string> = { h: host, p: String(pid), n: String(number), '%': '%' };
  const name = template.replace(/%([hpn%])/g, (_, key: string) => values[key] ?? '');
  if (/^[^\s:,\p{Cc}]{1,200}$/u.test(name)) return name;
  const expected = 'a text of 1 to 200 characters without spaces, colons and commas';
  throw createError('INVALID_OPTION', { what: 'the name of the worker', expected, given: JSON.stringify(template) });
}

/** Whether it has a place for a number. */
export function isNumbered(template: string): boolean {
  return /(?:^|[^%])(?:%%)*%n/.test(template);
}
