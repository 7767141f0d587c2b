/**
 * A child process of a worker marks itself, so that the module which it loads cannot start a worker in it: each of its
 * children would load that module again. The mark is seen by every copy of the package in the process, and remembers
 * whether the module tried.
 */
const MARK = Symbol.for('taskq.child');

interface Mark {
  triedWorker: boolean;
}

export function markAsChild(): void {
  Object.defineProperty(globalThis, MARK, { value: { triedWorker: false } satisfies Mark });
}

/** Asked when a worker is about to be made: true in a child, where none may be. */
export function isWorkerRefused(): boolean {
  const mark = readMark();
  if (mark !== undefined) mark.triedWorker = true;
  return mark !== undefined;
}

/** Whether a worker was refused in this process. Who asked for it may not have waited for the answer. */
export function wasWorkerRefused(): boolean {
  return readMark()?.triedWorker === true;
}

function readMark(): Mark | undefined {
  return (globalThis as { [MARK]?: Mark })[MARK];
}
