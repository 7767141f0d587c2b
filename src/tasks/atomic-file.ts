import { randomUUID } from 'node:crypto';
import { realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OutputPlace } from './allowed-root.ts';
import { fileRefusal, lastingFileError } from './refusal.ts';

/**
 * Writes a file so that a reader sees the old one or the whole new one, never a part: under a temporary name in the same
 * folder, then renamed. A hidden `.tmp` file is left only by a crash in between.
 *
 * @throws FILE_REFUSED for a lasting error; Node's own error (ENOSPC, EMFILE...) when it can pass
 */
export async function writeAtomically(place: OutputPlace, bytes: Uint8Array): Promise<void> {
  const temporary = join(place.folder, `.${place.name.slice(0, 100)}.${randomUUID()}.tmp`);
  try {
    await writeFile(temporary, bytes, { flag: 'wx' });
    // The folder was checked when the place was prepared; a link swapped in since then would lead elsewhere.
    if ((await realpath(place.folder)) !== place.folder) {
      throw fileRefusal({ ...place.use, reason: 'its folder was moved meanwhile' });
    }
    await rename(temporary, join(place.folder, place.name));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw lastingFileError(error, place.use);
  }
}
