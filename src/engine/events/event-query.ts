import { parseQuery, type QueryFields, type QueryMatcher } from '../core/query/query.ts';
import { STATES } from '../core/state.ts';
import { EVENT_TYPES, type Event } from './event.ts';

/** What may be asked of events. docs/queries.md lists it. */
const EVENT_FIELDS: QueryFields = {
  type: { kind: 'choice', choices: EVENT_TYPES },
  task: { kind: 'text' },
  queue: { kind: 'text' },
  worker: { kind: 'text' },
  id: { kind: 'text' },
  requestId: { kind: 'text' },
  state: { kind: 'choice', choices: STATES },
  attempt: { kind: 'number' },
  duration: { kind: 'duration', key: 'durationMs' },
  delay: { kind: 'duration', key: 'delayMs' },
  progress: { kind: 'number' },
  error: { kind: 'text' },
  reason: { kind: 'text' },
  host: { kind: 'text' },
  pid: { kind: 'number' },
  age: { kind: 'age', key: 'at' },
};

/**
 * Reads a query about events.
 *
 * @throws INVALID_QUERY
 */
export function parseEventQuery(text: string): (event: Event, now: number) => boolean {
  const matches: QueryMatcher = parseQuery(text, EVENT_FIELDS);
  return (event, now) => matches(event as unknown as Readonly<Record<string, unknown>>, now);
}
