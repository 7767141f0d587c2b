import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anchorSqliteUrl } from '../../engine/config/sqlite-url.ts';

export interface ThrowAwayBroker {
  /** Of a SQLite file in a new folder; other processes of this machine can open it. */
  readonly url: string;
  /** Takes the folder away. Close what has the file open first. */
  remove(): void;
}

/** Its folder is gone at the latest when this process exits, also when a closed pipe ends it in the middle. */
export async function createThrowAwayBroker(): Promise<ThrowAwayBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'tq-demo-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  return {
    url: anchorSqliteUrl('sqlite:tq.db', folder),
    remove() {
      process.off('exit', remove);
      remove();
    },
  };
}
