import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs `use` with the path of a new, empty folder and removes the folder afterwards, whatever happened. */
export async function withTempDir<Result>(use: (folder: string) => Promise<Result> | Result): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'tq-test-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
