/**
 * A child process of a worker marks itself, so that the module which it loads cannot start a worker in it: each of its
 * children would load that module again. The mark is seen by every copy of the package in the process.
 */
const MARK = Symbol.for('taskq.child');

export function markAsChild(): void {
  Object.defineProperty(globalThis, MARK, { value: true });
}

export function isChild(): boolean {
  return MARK in globalThis;
}
