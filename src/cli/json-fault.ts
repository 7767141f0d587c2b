/** Where a text stops being JSON, and what would have been right there. */
export interface JsonFault {
  /** Characters from the start, from 0. */
  readonly position: number;
  readonly expected: string;
}

/**
 * Finds the first fault of a text that JSON.parse refused. The messages of V8 name the place only for some faults and
 * change between versions; this walks the grammar of RFC 8259 itself.
 */
export function findJsonFault(text: string): JsonFault | undefined {
  const open: ('[' | '{')[] = [];
  let awaited: Awaited = 'value';
  let position = 0;
  for (;;) {
    position = skip(text, position, SPACE);
    const char = text[position] ?? '';
    if (awaited === 'end' && char === '') return undefined;
    const closes = char === ']' ? '[' : char === '}' ? '{' : undefined;
    if (closes !== undefined && closes === open.at(-1) && CLOSABLE.includes(awaited)) {
      open.pop();
      awaited = open.length === 0 ? 'end' : 'comma';
      position += 1;
    } else if (awaited === 'colon' && char === ':') {
      awaited = 'value';
      position += 1;
    } else if (awaited === 'comma' && char === ',') {
      awaited = open.at(-1) === '{' ? 'key' : 'value';
      position += 1;
    } else if ((awaited === 'value' || awaited === 'first value') && (char === '[' || char === '{')) {
      open.push(char);
      awaited = char === '[' ? 'first value' : 'first key';
      position += 1;
    } else {
      const token: RegExp = awaited === 'key' || awaited === 'first key' ? STRING : SCALAR;
      const end = TOKENS_AWAITED.includes(awaited) ? skip(text, position, token) : position;
      if (end === position) return describeFault(text, position, { awaited, container: open.at(-1) });
      awaited = token === STRING ? 'colon' : open.length === 0 ? 'end' : 'comma';
      position = end;
    }
  }
}

type Awaited = 'value' | 'first value' | 'key' | 'first key' | 'colon' | 'comma' | 'end';

const CLOSABLE: readonly Awaited[] = ['first value', 'first key', 'comma'];
const TOKENS_AWAITED: readonly Awaited[] = ['value', 'first value', 'key', 'first key'];

/** What stands between the quotes of a string: RFC 8259 wants control characters escaped. */
const IN_STRING = String.raw`(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*`;
const SPACE = /[ \t\n\r]*/y;
const STRING = new RegExp(`"${IN_STRING}"`, 'y');
const SCALAR = new RegExp(`"${IN_STRING}"|-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?|true|false|null`, 'y');
/** As much of a broken string as is right, so that the position is that of its fault. */
const BEGINNING = new RegExp(`(?:"${IN_STRING})?`, 'y');

function skip(text: string, from: number, pattern: RegExp): number {
  pattern.lastIndex = from;
  return from + (pattern.exec(text)?.[0].length ?? 0);
}

interface Place {
  readonly awaited: Awaited;
  readonly container: '[' | '{' | undefined;
}

function describeFault(text: string, position: number, { awaited, container }: Place): JsonFault {
  if (text[position] !== '"' || !TOKENS_AWAITED.includes(awaited)) {
    return { position, expected: describeAwaited(awaited, container) };
  }
  return { position: skip(text, position, BEGINNING), expected: 'the rest of a text, up to its closing "' };
}

function describeAwaited(awaited: Awaited, container: Place['container']): string {
  switch (awaited) {
    case 'colon':
      return '":" after the name';
    case 'comma':
      return container === '[' ? '"," or "]"' : '"," or "}"';
    case 'key':
      return 'a name in double quotes';
    case 'first key':
      return 'a name in double quotes or "}"';
    case 'first value':
      return 'a value or "]"';
    case 'end':
      return 'nothing more';
    default:
      return 'a value';
  }
}
