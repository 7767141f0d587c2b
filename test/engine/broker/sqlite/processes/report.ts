import { writeSync } from 'node:fs';

/** Tells the process that started this one. The line is with the kernel when this returns, so that a kill cannot take it. */
export function report(...words: readonly (string | number)[]): void {
  writeSync(1, `${words.join(' ')}\n`);
}

/** An error on one line, with its code. */
export function described(error: unknown): string {
  const { code = '', message = String(error) } = (error ?? {}) as { code?: unknown; message?: string };
  return `${code} ${message}`.replaceAll('\n', ' ');
}
