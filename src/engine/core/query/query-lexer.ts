import { createQueryFault, type Span } from './query-fault.ts';

export const OPERATORS = [':', '~', '>=', '<=', '>', '<', '='] as const;

export type Operator = (typeof OPERATORS)[number];

/** `field:value` and its relatives, not yet understood. */
export interface TermToken extends Span {
  readonly kind: 'term';
  readonly field: string;
  readonly operator: Operator;
  readonly value: string;
  /** A quoted value is meant letter by letter: its `*` is a star. */
  readonly quoted: boolean;
  readonly valueSpan: Span;
}

export type Token = TermToken | (Span & { readonly kind: 'open' | 'close' | 'or' | 'and' | 'not' });

const TERM_START = /([A-Za-z][\w.-]*)(>=|<=|[:~><=])/y;
const WORD = /[^\s()]+/y;

/**
 * Splits a query into its tokens.
 *
 * @throws INVALID_QUERY for a word that is no term, a value that is missing, and a quote that does not end
 */
export function readTokens(text: string): Token[] {
  const tokens: Token[] = [];
  let depth = 0;
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (/\s/.test(char)) {
      at += 1;
    } else if (char === '(' || char === ')') {
      depth += char === '(' ? 1 : -1;
      tokens.push({ kind: char === '(' ? 'open' : 'close', at, length: 1 });
      at += 1;
    } else if (char === '-') {
      tokens.push({ kind: 'not', at, length: 1 });
      at += 1;
    } else {
      const token = readWord(text, at) ?? readTerm(text, at, depth > 0);
      tokens.push(token);
      at = token.at + token.length;
    }
  }
  return tokens;
}

function readWord(text: string, at: number): Token | undefined {
  const [word = ''] = matchAt(WORD, text, at) ?? [];
  if (word === 'OR' || word === 'AND') return { kind: word === 'OR' ? 'or' : 'and', at, length: word.length };
  return undefined;
}

function readTerm(text: string, at: number, inGroup: boolean): TermToken {
  const start = matchAt(TERM_START, text, at);
  if (start === undefined) {
    const [word = text.charAt(at)] = matchAt(WORD, text, at) ?? [];
    throw createQueryFault(text, { at, length: word.length }, describeStray(word));
  }
  const [begin = '', field = '', operator = ':'] = start;
  const value = readValue(text, at + begin.length, inGroup);
  if (value.length === 0) {
    throw createQueryFault(text, { at, length: begin.length }, `a value is missing after "${begin}"`);
  }
  const { quoted, value: read } = value;
  const length = begin.length + value.length;
  const valueSpan = { at: at + begin.length, length: value.length };
  return { kind: 'term', at, length, field, operator: operator as Operator, value: read, quoted, valueSpan };
}

function describeStray(word: string): string {
  if (/^(or|and)$/i.test(word)) return `"${word}" is no term; write ${word.toUpperCase()} in capitals`;
  if (/^not$/i.test(word)) return `"${word}" is no term; a minus before a term turns it round`;
  return `"${word}" is no term; a term is field:value, field~text or field>number`;
}

interface Value {
  readonly value: string;
  readonly quoted: boolean;
  /** Of the text that it stands in, quotes included. */
  readonly length: number;
}

function readValue(text: string, at: number, inGroup: boolean): Value {
  const quote = text.charAt(at);
  if (quote !== '"' && quote !== "'") {
    // Within parentheses the closing one ends the value; elsewhere it may be part of it.
    const [value = ''] = matchAt(inGroup ? /[^\s)]+/y : /\S+/y, text, at) ?? [];
    return { value, quoted: false, length: value.length };
  }
  let value = '';
  for (let index = at + 1; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (char === quote) return { value, quoted: true, length: index + 1 - at };
    // A backslash takes the next character as it is.
    if (char === '\\' && index + 1 < text.length) index += 1;
    value += text.charAt(index);
  }
  throw createQueryFault(text, { at, length: text.length - at }, `the quote ${quote} does not end`);
}

function matchAt(expression: RegExp, text: string, at: number): RegExpExecArray | undefined {
  expression.lastIndex = at;
  return expression.exec(text) ?? undefined;
}
