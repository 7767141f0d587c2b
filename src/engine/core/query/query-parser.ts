import { createQueryFault } from './query-fault.ts';
import { readTokens, type TermToken, type Token } from './query-lexer.ts';

/** A query as a tree. */
export type QueryNode =
  | { readonly kind: 'term'; readonly term: TermToken }
  | { readonly kind: 'not'; readonly node: QueryNode }
  | { readonly kind: 'all' | 'any'; readonly nodes: readonly QueryNode[] };

/**
 * Reads a query: terms beside each other must all hold, `OR` binds less than that, a minus turns what follows round,
 * parentheses group.
 *
 * @throws INVALID_QUERY
 */
export function parseQueryText(text: string): QueryNode {
  const tokens = readTokens(text);
  let next = 0;
  const fault = (problem: string, token: Token | undefined): Error =>
    createQueryFault(text, token ?? { at: text.length, length: 1 }, problem);

  const parseAny = (): QueryNode => {
    const nodes = [parseAll()];
    while (tokens[next]?.kind === 'or') {
      next += 1;
      nodes.push(parseAll());
    }
    return nodes.length === 1 ? (nodes[0] as QueryNode) : { kind: 'any', nodes };
  };
  const parseAll = (): QueryNode => {
    const nodes = [parseOne()];
    for (;;) {
      const kind = tokens[next]?.kind;
      if (kind === undefined || kind === 'or' || kind === 'close') break;
      if (kind === 'and') next += 1;
      nodes.push(parseOne());
    }
    return nodes.length === 1 ? (nodes[0] as QueryNode) : { kind: 'all', nodes };
  };
  const parseOne = (): QueryNode => {
    const token = tokens[next];
    next += 1;
    switch (token?.kind) {
      case 'term':
        return { kind: 'term', term: token };
      case 'not':
        return { kind: 'not', node: parseOne() };
      case 'open': {
        const node = parseAny();
        if (tokens[next]?.kind !== 'close') throw fault('the parenthesis is not closed', token);
        next += 1;
        return node;
      }
      default:
        throw fault(tokens.length === 0 ? 'it is empty' : 'a term such as field:value is missing here', token);
    }
  };

  const node = parseAny();
  const rest = tokens[next];
  if (rest !== undefined) throw fault('no parenthesis is open here', rest);
  return node;
}
