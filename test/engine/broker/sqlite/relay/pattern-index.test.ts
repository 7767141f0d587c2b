import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Connection, SqlRow, SqlValue } from '../../../../../src/engine/broker/sqlite/connection.ts';
import { type DatabaseHold, holdDatabase } from '../../../../../src/engine/broker/sqlite/database.ts';
import { type OpenNamespace, openNamespace } from '../../../../../src/engine/broker/sqlite/relay/open-namespace.ts';
import { listMatchingPatterns, openPattern } from '../../../../../src/engine/broker/sqlite/relay/pattern-index.ts';
import { systemClock } from '../../../../../src/engine/runtime/system-clock.ts';

let hold: DatabaseHold;
let connection: Connection;
let namespace: OpenNamespace;
beforeEach(() => {
  hold = holdDatabase({ path: ':memory:', synchronous: 'normal', busyTimeoutMs: 5000, clock: systemClock });
  connection = hold.database.connection;
  namespace = openNamespace({ connection }, { prefix: 'bull', name: 'n' }, { now: 0, writes: true });
});
afterEach(() => hold.release());

/** BullMQ's rule, segment by segment. */
function isMatch(pattern: string, topic: string): boolean {
  const [patternSegments, topicSegments] = [pattern.split('.'), topic.split('.')];
  for (const [index, segment] of patternSegments.entries()) {
    if (segment === '>') return topicSegments.length > index;
    if (index >= topicSegments.length) return false;
    if (segment !== '*' && segment !== topicSegments[index]) return false;
  }
  return patternSegments.length === topicSegments.length;
}

const literal = fc.constantFrom('a', 'b', 'ab', 'a-', 'a:', 'A', '%2E', '0');
const topics = fc.array(literal, { minLength: 1, maxLength: 5 }).map((segments) => segments.join('.'));
const patterns = fc
  .tuple(fc.array(fc.oneof(literal, fc.constant('*')), { maxLength: 4 }), fc.oneof(literal, fc.constantFrom('*', '>')))
  .map(([segments, last]) => [...segments, last].join('.'));

test('the walk finds the patterns that match, each once', () => {
  const property = fc.property(fc.array(patterns, { maxLength: 60 }), topics, (stored, topic) => {
    connection.execute('DELETE FROM relay_pattern');
    const numbers = new Map(stored.map((pattern) => [openPattern(namespace, pattern), pattern]));
    const found = listMatchingPatterns(namespace, topic);
    const expected = [...numbers].filter(([, pattern]) => isMatch(pattern, topic)).map(([number]) => number);
    expect(found.toSorted()).toEqual(expected.toSorted());
  });
  fc.assert(property, { numRuns: 300 });
});

describe('what a publish looks at', () => {
  /** A connection that counts its questions and the rows it gets. */
  function countingConnection(): { connection: Connection; questions: () => number } {
    let questions = 0;
    const counted = {
      get(sql: string, ...values: SqlValue[]): SqlRow | undefined {
        questions += 1;
        return connection.get(sql, ...values);
      },
      all(sql: string, ...values: SqlValue[]): SqlRow[] {
        const rows = connection.all(sql, ...values);
        questions += 1 + rows.length;
        return rows;
      },
    };
    return { connection: counted as Connection, questions: () => questions };
  }

  test('does not follow the number of subscriptions, not even of those with the same first segment', () => {
    const ask = (topic: string): number => {
      const { connection: counted, questions } = countingConnection();
      expect(listMatchingPatterns({ ...namespace, connection: counted }, topic)).toHaveLength(2);
      return questions();
    };
    openPattern(namespace, 'queues.mail.*');
    openPattern(namespace, 'queues.mail.done');
    const before = ask('queues.mail.done');
    for (let index = 0; index < 2000; index += 1) {
      openPattern(namespace, `queues.q${index}.*`);
      openPattern(namespace, `queues.q${index}.done`);
      openPattern(namespace, `*.q${index}.>`);
    }
    // One more beginning fits, "*.", and below it nothing does.
    expect(ask('queues.mail.done')).toBeLessThanOrEqual(before + 3);
  });

  test('comes from an index', () => {
    const seen = new Set<string>();
    const noting = {
      get(sql: string, ...values: SqlValue[]): SqlRow | undefined {
        seen.add(sql);
        return connection.get(sql, ...values);
      },
    } as Connection;
    openPattern(namespace, 'a.*');
    listMatchingPatterns({ ...namespace, connection: noting }, 'a.b');
    expect(seen.size).toBeGreaterThan(2);
    for (const sql of seen) {
      const plan = connection.all(`EXPLAIN QUERY PLAN ${sql}`).map((row) => String(row[3]));
      expect(plan).toEqual([expect.stringMatching(/^SEARCH .* USING (COVERING )?INDEX .*namespace_id=\? AND pattern/)]);
    }
  });
});
