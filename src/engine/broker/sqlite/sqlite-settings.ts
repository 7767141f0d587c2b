import { type Finding, failed, formatBytes, ok, skipped, warning } from '../../core/checkup/finding.ts';

export interface SqliteSettings {
  readonly path: string;
  readonly synchronous: 'normal' | 'full';
  readonly fileBytes: number;
  readonly walBytes: number;
  readonly freeBytes: number;
  /** As statfs says it. */
  readonly fileSystem: number;
  /** What SQLite's quick_check said; null when the file is too large for it. */
  readonly integrity: string | null;
}

/** The write-ahead log is copied back at 16 MiB; one that is this long is held open by a reader that does not end. */
const LONG_WAL = 256 * 2 ** 20;
const LITTLE_SPACE = 512 * 2 ** 20;
const NO_SPACE = 32 * 2 ** 20;
/** File systems of other machines: NFS, SMB, CIFS, SMB2, and their names. */
const REMOTE: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
]);

/** What the state of a database file means for jobs. */
export function checkSqliteSettings(settings: SqliteSettings): Finding[] {
  return [
    checkDurability(settings),
    checkLog(settings),
    checkSpace(settings),
    checkFileSystem(settings),
    checkIntegrity(settings),
  ];
}

function checkDurability({ synchronous }: SqliteSettings): Finding {
  if (synchronous === 'full') return ok('durability', 'synchronous is full: what is acknowledged survives a power cut');
  const message =
    'synchronous is normal: what is acknowledged survives every process, a power cut may take the last moments';
  return ok('durability', `${message} (?synchronous=full)`);
}

function checkLog({ walBytes }: SqliteSettings): Finding {
  const message = `the write-ahead log has ${formatBytes(walBytes)}`;
  if (walBytes < LONG_WAL) return ok('write-ahead-log', message);
  const fix = 'find the process that holds the file open for reading (a backup, a shell) and end it';
  return warning('write-ahead-log', `${message}: a reader that does not end keeps it from being copied back`, fix);
}

function checkSpace({ freeBytes, path }: SqliteSettings): Finding {
  const message = `${formatBytes(freeBytes)} are free where ${path} is`;
  const fix = 'make room: without it no job can be added or end';
  if (freeBytes < NO_SPACE) return failed('disk-space', message, fix);
  return freeBytes < LITTLE_SPACE ? warning('disk-space', message, fix) : ok('disk-space', message);
}

function checkFileSystem({ fileSystem }: SqliteSettings): Finding {
  const remote = REMOTE.get(fileSystem);
  if (remote === undefined) return ok('file-system', 'the file is on a local file system');
  const message = `the file is on ${remote}: its locks do not hold between machines, and the write-ahead log needs shared memory`;
  return failed('file-system', message, 'move the file to a local disk, or use Redis or PostgreSQL');
}

function checkIntegrity({ integrity, fileBytes }: SqliteSettings): Finding {
  if (integrity === null) {
    return skipped('integrity', `the file has ${formatBytes(fileBytes)}, too many to look through beside the work`);
  }
  if (integrity === 'ok') return ok('integrity', `the file is whole (${formatBytes(fileBytes)})`);
  return failed(
    'integrity',
    `the file is damaged: ${integrity}`,
    'stop all workers, then restore a copy, or `sqlite3 FILE .recover`',
  );
}
