import { statfs } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/** What is read of the machine that looks; a test hands in one of its own. */
export interface Machine {
  readonly temporaryFolder: string;
  /** @throws the error of the file system */
  readDisk(folder: string): Promise<DiskSpace>;
  readMemory(): MemoryUse;
}

export interface DiskSpace {
  /** What this user may still write. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface MemoryUse {
  /** Of the process. */
  readonly processBytes: number;
  readonly heapUsedBytes: number;
  /** Where V8 gives up. */
  readonly heapLimitBytes: number;
  /** Of the machine, or of the container where that has a limit of its own. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export const thisMachine: Machine = {
  temporaryFolder: tmpdir(),
  async readDisk(folder) {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  },
  readMemory() {
    const heap = getHeapStatistics();
    const ofMachine = totalmem();
    const limit = process.constrainedMemory();
    return {
      processBytes: process.memoryUsage.rss(),
      heapUsedBytes: heap.used_heap_size,
      heapLimitBytes: heap.heap_size_limit,
      freeBytes: process.availableMemory(),
      // A container without a limit reports none, or one beyond what the machine has.
      totalBytes: limit > 0 && limit < ofMachine ? limit : ofMachine,
    };
  },
};
