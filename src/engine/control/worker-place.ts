import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Where a worker runs, so that another one can tell whether it still does. */
export interface WorkerPlace {
  readonly host: string;
  readonly pid: number;
  /**
   * What process ids are counted in: one boot of one machine, and in it one container. Host names alone do not say it:
   * containers may share that of their host. Null where the system does not tell.
   */
  readonly space: string | null;
}

/** Of this process. */
export function readOwnPlace(): WorkerPlace {
  return { host: hostname(), pid: process.pid, space: readProcessSpace() };
}

/** Whether a process is known to have ended: false also when nobody can tell from here. */
export function isKnownDead(place: WorkerPlace, own: WorkerPlace = readOwnPlace()): boolean {
  if (place.space === null || place.space !== own.space || place.host !== own.host) return false;
  try {
    process.kill(place.pid, 0);
    return false;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Linux tells both; elsewhere there are no containers with process ids of their own. */
function readProcessSpace(): string | null {
  if (process.platform !== 'linux') return process.platform === 'darwin' ? hostname() : null;
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return null;
  }
}
