import type { JobEventFeed, ListenOptions } from '../broker/event-port.ts';
import type { Broker } from '../broker/port.ts';
import type { Clock } from '../core/clock.ts';
import type { Event } from './event.ts';
import { JobEventTeller } from './job-events.ts';
import { watchWorkers } from './worker-events.ts';

export interface EventStreamOptions extends Omit<ListenOptions, 'signal'> {
  /** Which events are wanted; all without it. */
  readonly matches?: (event: Event, now: number) => boolean;
  /** Ends the stream, without an error. */
  readonly signal?: AbortSignal;
}

/**
 * What happens to the jobs of all queues and to the workers of a broker, until the signal aborts, the caller stops reading or
 * the broker is closed.
 * Nothing is read from the store beyond one batch of jobs and one of workers before it is asked for.
 *
 * @throws BROKER_UNAVAILABLE when the broker cannot be reached at the beginning; later on it is waited for
 */
export async function* streamEvents(
  broker: Broker,
  clock: Clock,
  { matches, signal, onListening, ...options }: EventStreamOptions = {},
): AsyncGenerator<Event, void, void> {
  const ending = new AbortController();
  const over = signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]);
  const { promise: hasPlace, resolve: takePlace } = Promise.withResolvers<void>();
  const feed = broker.events.listen({ ...options, signal: over, onListening: takePlace });
  const workers = watchWorkers(broker.control, clock, {
    signal: over,
    ...(options.since !== undefined && { since: options.since }),
  });
  const sources = [tellJobs(feed), workers];
  try {
    let isListening = false;
    for await (const { events, source } of takeTurns(sources)) {
      if (source === workers && !isListening) {
        isListening = true;
        void hasPlace.then(onListening);
      }
      for (const event of events) if (matches === undefined || matches(event, clock.now())) yield event;
    }
  } finally {
    ending.abort();
    await Promise.allSettled(sources.map((source) => source.return()));
  }
}

async function* tellJobs(feed: JobEventFeed): AsyncGenerator<readonly Event[], void, void> {
  const teller = new JobEventTeller();
  for await (const batch of feed) yield await teller.tell(batch, (queue, ids) => feed.readFacts(queue, ids));
}

type Source = AsyncGenerator<readonly Event[], void, void>;

interface Turn {
  readonly source: Source;
  readonly events: readonly Event[];
}

/** Whatever any of the sources gives next, until one is over. Each is asked for more once what it gave was taken. */
async function* takeTurns(sources: readonly Source[]): AsyncGenerator<Turn, void, void> {
  const asked = new Map<Source, Promise<Turn | undefined>>();
  const ask = (source: Source): void => {
    asked.set(
      source,
      source.next().then(({ value: events }) => (events === undefined ? undefined : { source, events })),
    );
  };
  for (const source of sources) ask(source);
  for (;;) {
    const turn = await Promise.race(asked.values());
    if (turn === undefined) return;
    yield turn;
    ask(turn.source);
  }
}
