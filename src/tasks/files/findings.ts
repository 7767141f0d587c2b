/** A file that should have gone and did not. */
export interface SweepFailure {
  readonly path: string;
  /** The code of the file error (`EACCES`, `EBUSY`...), or `MOVED` when a link had taken the place of its folder. */
  readonly reason: string;
}

/** What a sweep has found so far. Owned by the sweep; everyone else only reads it. */
export interface Findings {
  /** Entries looked at. */
  scanned: number;
  /** Files removed. */
  removed: number;
  /** Their size in bytes. */
  bytes: number;
  /** Folders removed. */
  folders: number;
  failures: number;
  addRemoved(path: string, bytes: number): void;
  addFailure(path: string, reason: string): void;
  listRemoved(): string[];
  listFailures(): SweepFailure[];
}

/** Most files and failures that a result names; the counts are of all. */
const MOST_NAMED = 100;

/** Keeps the first paths in alphabetical order, whatever order the file system gives them in. */
export function createFindings(): Findings {
  const removed = createFirst<{ readonly path: string }>();
  const failed = createFirst<SweepFailure>();
  return {
    scanned: 0,
    removed: 0,
    bytes: 0,
    folders: 0,
    failures: 0,
    addRemoved(path, bytes) {
      this.removed += 1;
      this.bytes += bytes;
      removed.add({ path });
    },
    addFailure(path, reason) {
      this.failures += 1;
      failed.add({ path, reason });
    },
    listRemoved: () => removed.list().map(({ path }) => path),
    listFailures: failed.list,
  };
}

function createFirst<Item extends { readonly path: string }>(): { add(item: Item): void; list(): Item[] } {
  let items: Item[] = [];
  const trim = (): Item[] => {
    items = items.sort((a, b) => (a.path < b.path ? -1 : 1)).slice(0, MOST_NAMED);
    return items;
  };
  return {
    add(item) {
      items.push(item);
      if (items.length >= 10 * MOST_NAMED) trim();
    },
    list: trim,
  };
}
