import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createError, messageOf } from '../engine/core/errors.ts';
import type { Streams } from './streams.ts';

/** A file that only this user can read. */
export interface Spool {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Puts all that comes on stdin into a file: what is read twice, and may be larger than memory.
 *
 * @throws IMPORT_UNREADABLE
 */
export async function spoolStdin({ stdin }: Pick<Streams, 'stdin'>): Promise<Spool> {
  const folder = await mkdtemp(join(tmpdir(), 'tq-stdin-'));
  const path = join(folder, 'stdin');
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await pipeline(stdin, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
  } catch (error) {
    await remove();
    throw createError('IMPORT_UNREADABLE', { path: 'stdin', reason: messageOf(error) }, error);
  }
  return { path, remove };
}
