import type { Readable, Writable } from 'node:stream';

/** Where text comes from and goes to: those of the process, or those of a test. */
export interface Streams {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Sink;
  readonly stderr: Sink;
}

export type Sink = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** All that stands on stdin, as text. */
export async function readStdin({ stdin }: Streams): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** Whether somebody can be asked: they type on stdin, and read the question on stderr. */
export function isInteractive({ stdin, stderr }: Streams): boolean {
  return stdin.isTTY === true && stderr.isTTY === true;
}
