import type { Operation } from './operation.ts';

/** Whether a sequence still makes the difference. */
type Fails = (operations: readonly Operation[]) => Promise<boolean>;

/**
 * Leaves out of a sequence what the difference does not need: operations, in ever smaller blocks, and then members of what
 * is left. fast-check's shrinking stops early in sequences whose operations
 * refer to each other by number, or is out of time; this goes on where it has stopped.
 */
export async function trim(operations: readonly Operation[], fails: Fails): Promise<Operation[]> {
  let current = [...operations];
  for (let before = ''; before !== JSON.stringify(current); ) {
    before = JSON.stringify(current);
    current = await dropOperations(current, fails);
    current = await dropMembers(current, fails);
  }
  return current;
}

async function dropOperations(operations: Operation[], fails: Fails): Promise<Operation[]> {
  let current = operations;
  for (let size = Math.ceil(current.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = current.length - size; from >= 0; from -= size) {
      const candidate = [...current.slice(0, from), ...current.slice(from + size)];
      if (candidate.length > 0 && (await fails(candidate))) current = candidate;
    }
  }
  return current;
}

async function dropMembers(operations: Operation[], fails: Fails): Promise<Operation[]> {
  let current = operations;
  for (const [at, operation] of operations.entries()) {
    let kept: unknown = operation;
    for (let goesOn = true; goesOn; ) {
      goesOn = false;
      for (const smaller of listSmaller(kept)) {
        const candidate = current.with(at, smaller as Operation);
        if (!(await fails(candidate))) continue;
        current = candidate;
        kept = smaller;
        goesOn = true;
        break;
      }
    }
  }
  return current;
}

/** Members that an operation may do without; below `FREE` any may be missing. */
const OPTIONAL = new Set([
  ...['again', 'unrecoverable', 'child', 'keep', 'priority', 'lifo', 'resetAttemptsMade', 'resetAttemptsStarted'],
  ...['removeChildren', 'by', 'delayed', 'force', 'count', 'beforeMs', 'template', 'parent', 'children'],
]);
const FREE = new Set(['opts', 'schedule', 'template', 'data']);

/** Members that say which one of several, by number. */
const CHOICES = new Set(['nth', 'queue', 'worker', 'token']);

/** Values like the given one with one thing less. */
function* listSmaller(value: unknown, isFree = false): Generator<unknown> {
  if (isFree && typeof value === 'number' && value !== 0) yield 0;
  if (Array.isArray(value)) {
    for (const at of value.keys()) yield value.toSpliced(at, 1);
    for (const [at, item] of value.entries()) {
      for (const smaller of listSmaller(item, isFree)) yield value.with(at, smaller);
    }
  } else if (typeof value === 'object' && value !== null) {
    const record = value as Record<string, unknown>;
    for (const [key, member] of Object.entries(record)) {
      const { [key]: _dropped, ...rest } = record;
      if (isFree || OPTIONAL.has(key)) yield rest;
      if (CHOICES.has(key) && member !== 0) yield { ...record, [key]: 0 };
      for (const smaller of listSmaller(member, isFree || FREE.has(key))) yield { ...record, [key]: smaller };
    }
  }
}
