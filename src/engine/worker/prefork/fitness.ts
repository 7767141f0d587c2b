/**
 * Whether this process can still be trusted with a task. What a task does to the built-ins of the language outlives it: each
 * later job of the process would fail for a reason that is not its own. So after each job a few of them are asked for what
 * they must answer, which costs about a microsecond. Libraries that wrap a built-in and keep what it does pass.
 */
export function createFitnessCheck(): () => string | undefined {
  const inherited = countInherited();
  const checks: readonly (readonly [name: string, isSound: () => boolean])[] = [
    ['JSON', isJsonSound],
    ['Array', isArraySound],
    ['Object', isObjectSound],
    ['String', isTextSound],
    ['Map, Set or Promise', areCollectionsSound],
    ['for … in', () => countInherited() <= inherited],
  ];
  return () => {
    for (let index = 0; index < checks.length; index += 1) {
      const [name, isSound] = checks[index] as (typeof checks)[number];
      if (!holds(isSound)) return `a task has broken ${name}`;
    }
    return undefined;
  };
}

function holds(isSound: () => boolean): boolean {
  try {
    return isSound();
  } catch {
    return false;
  }
}

function isJsonSound(): boolean {
  return JSON.stringify({ a: [1] }) === '{"a":[1]}' && (JSON.parse('[1]') as number[])[0] === 1;
}

function isArraySound(): boolean {
  const list = [3, 1];
  list.push(2);
  const found = list.map((value) => value + 1).filter((value) => value > 2);
  return found.join() === '4,3' && list.slice(1).length === 2 && list.includes(1) && [...list].length === 3;
}

function isObjectSound(): boolean {
  const copy = Object.fromEntries(Object.entries({ a: 1 }));
  return Object.keys(Object.assign(copy, { b: 2 })).length === 2 && Object.hasOwn(copy, 'a');
}

function isTextSound(): boolean {
  return (
    'a,b'.split(',').length === 2 && 'ab'.slice(1) === 'b' && 'ab'.indexOf('b') === 1 && 'a'.replace('a', 'b') === 'b'
  );
}

function areCollectionsSound(): boolean {
  const map = new Map([[1, 2]]);
  const isMapSound = map.get(1) === 2 && map.delete(1) && map.size === 0;
  return isMapSound && new Set([1, 1]).size === 1 && typeof Promise.resolve().then === 'function';
}

/** Properties that a `for … in` over any object meets. */
function countInherited(): number {
  let count = 0;
  for (const _ in {}) count += 1;
  return count;
}
