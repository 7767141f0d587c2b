import type { Broker } from '../broker/port.ts';
import type { Clock } from '../core/clock.ts';
import { type Duration, parseDuration } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import type { Event } from '../events/event.ts';
import { parseEventQuery } from '../events/event-query.ts';
import { type EventStreamOptions, streamEvents } from '../events/event-stream.ts';

/** What to hear of, and from when on (docs/events.md). */
export interface EventOptions {
  /** Which events are wanted, as `tq events --where` has it (docs/queries.md): `type:failed task:email.*`. */
  where?: string;
  /** Begins in the past, as far as the logs of the queues reach: a duration before now, or an instant. */
  since?: Duration | Date;
  /** Ends the stream, without an error. Leaving the loop ends it too. */
  signal?: AbortSignal;
  /** The stream has its place in the logs: what happens from here on is told. */
  onListening?: () => void;
  /** The broker went away; the stream waits for it and goes on where it was. Said once for each time. */
  onTrouble?: (error: Error) => void;
  /** The broker answers again. */
  onRecovered?: (downMs: number) => void;
}

/**
 * Opens a stream of events; the broker is opened with the first one that is asked for.
 *
 * @throws INVALID_QUERY, INVALID_DURATION and INVALID_OPTION at once; what the stream meets, it throws when it is read
 */
export function openEvents(
  openBroker: () => Promise<Broker>,
  clock: Clock,
  { where, since, ...rest }: EventOptions,
): AsyncGenerator<Event, void, void> {
  const options: EventStreamOptions = {
    ...rest,
    ...(where !== undefined && { matches: parseEventQuery(where) }),
    ...(since !== undefined && { since: toInstant(since, clock) }),
  };
  return (async function* () {
    yield* streamEvents(await openBroker(), clock, options);
  })();
}

function toInstant(since: Duration | Date, clock: Clock): number {
  if (!(since instanceof Date)) return clock.now() - parseDuration(since, 'since of the events');
  const at = since.getTime();
  if (!Number.isNaN(at)) return at;
  throw createError('INVALID_OPTION', {
    what: 'since of the events',
    expected: 'a duration or a valid Date',
    given: formatGiven(since),
  });
}
