import type { OpenNamespace } from './open-namespace.ts';
import { hasWildcard } from './topic.ts';

const FIND = 'SELECT pattern_no FROM relay_pattern WHERE namespace_id = ? AND pattern = ?';
const ADD = `INSERT INTO relay_pattern (namespace_id, pattern, has_wildcard) VALUES (?, ?, ?)
  RETURNING pattern_no`;
const REMOVE_UNUSED = `DELETE FROM relay_pattern WHERE pattern_no = ?1
  AND NOT EXISTS (SELECT 1 FROM relay_subscription WHERE pattern_no = ?1)`;
const WILDCARD = 'SELECT pattern_no FROM relay_pattern WHERE namespace_id = ? AND pattern = ? AND has_wildcard = 1';
const WILDCARD_BELOW = `SELECT 1 FROM relay_pattern
  WHERE namespace_id = ? AND pattern > ? AND pattern < ? AND has_wildcard = 1 LIMIT 1`;

/** @returns the pattern's number; it gets one when it is new */
export function openPattern({ connection, id }: OpenNamespace, pattern: string): number {
  const found = connection.get(FIND, id, pattern) ?? connection.get(ADD, id, pattern, hasWildcard(pattern) ? 1 : 0);
  return found?.[0] as number;
}

/** To be called when a subscription is gone: a pattern that nobody subscribes to any more goes too. */
export function dropPatternIfUnused({ connection }: OpenNamespace, patternNo: number): void {
  connection.run(REMOVE_UNUSED, patternNo);
}

/**
 * The patterns that a topic matches: the topic itself, then those with wildcards.
 *
 * These are found by a walk down the topic. Below each beginning that fits (`a.`, `*.`, `a.*.` …) it goes on only if some
 * pattern begins so, which is one look into the index. So the cost follows the patterns that share a fitting beginning; it
 * does not follow their number, nor that of the patterns which only share the topic's first segment.
 *
 * @param topic a valid one
 * @returns numbers of patterns, each once
 */
export function listMatchingPatterns(namespace: OpenNamespace, topic: string): number[] {
  const { connection, id } = namespace;
  const segments = topic.split('.');
  const found: number[] = [];
  const collect = (sql: string, pattern: string): void => {
    const row = connection.get(sql, id, pattern);
    if (row !== undefined) found.push(row[0] as number);
  };
  const walk = (beginning: string, depth: number): void => {
    collect(WILDCARD, `${beginning}>`);
    for (const segment of [segments[depth] as string, '*']) {
      const next = beginning + segment;
      if (depth === segments.length - 1) collect(WILDCARD, next);
      // '/' is the character after '.', so these are the patterns that begin with `next` and a dot.
      else if (connection.get(WILDCARD_BELOW, id, `${next}.`, `${next}/`) !== undefined) walk(`${next}.`, depth + 1);
    }
  };
  collect(FIND, topic);
  walk('', 0);
  return found;
}
