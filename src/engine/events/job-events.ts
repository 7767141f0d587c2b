import type { JobEventFeed, JobFacts, LogEntry } from '../broker/event-port.ts';
import { createEvent, type Event, type EventType, shortenError } from './event.ts';
import { chargedBeforeEnd, type JobTrail, JobTrails, learn } from './job-trail.ts';

/** A few megabytes at most. */
const TRAILS_KEPT = 10_000;

type ReadFacts = JobEventFeed['readFacts'];
type EntryOf<Kind extends LogEntry['kind']> = Extract<LogEntry, { kind: Kind }>;

/**
 * Turns what the logs say into events.
 *
 * 1. The jobs of a batch are read, each once, when something is told that only the job knows: its request id, its worker, how
 *    many of its attempts count.
 * 2. Each entry becomes no, one or two events, with what its trail knows from earlier entries.
 *
 * What the log does not say is whether a job that leaves its worker unfinished is to be retried or was handed back (its worker
 * stopped, did not know its task, or was lost). The job says it: only a retry charges an attempt. Read long after the entry
 * was written, as `since` does, the job has its last count, and attempts are then taken for charged in their order.
 */
export class JobEventTeller {
  readonly #trails = new JobTrails(TRAILS_KEPT);

  async tell(batch: readonly LogEntry[], readFacts: ReadFacts): Promise<Event[]> {
    const facts = await this.#readFacts(batch, readFacts);
    const events: Event[] = [];
    for (const entry of batch) {
      const trail = this.#trails.follow(entry.queue, entry.id);
      const own = facts.get(entry.queue)?.get(entry.id);
      if (own !== undefined) learn(trail, own);
      tellEntry(entry, { trail, facts: own, events });
    }
    return events;
  }

  async #readFacts(
    batch: readonly LogEntry[],
    readFacts: ReadFacts,
  ): Promise<Map<string, ReadonlyMap<string, JobFacts>>> {
    const wanted = new Map<string, Set<string>>();
    for (const entry of batch) {
      if (!needsFacts(entry) && this.#trails.follow(entry.queue, entry.id).isRead) continue;
      const ids = wanted.get(entry.queue) ?? new Set();
      wanted.set(entry.queue, ids.add(entry.id));
    }
    const read = await Promise.all(
      [...wanted].map(async ([queue, ids]) => [queue, await readFacts(queue, [...ids])] as const),
    );
    return new Map(read);
  }
}

function needsFacts(entry: LogEntry): boolean {
  switch (entry.kind) {
    case 'taken':
    case 'failed':
    case 'scheduled':
      return true;
    case 'ready':
      return entry.from === 'running' || entry.from === 'ended';
    default:
      return false;
  }
}

interface Telling {
  readonly trail: JobTrail;
  /** Of the job as it is now, which may be later than the entry. */
  readonly facts: JobFacts | undefined;
  /** Those of the batch so far, to be added to. */
  readonly events: Event[];
}

function tellEntry(entry: LogEntry, telling: Telling): void {
  switch (entry.kind) {
    case 'added':
      tellSent(entry, telling);
      break;
    case 'scheduled':
      tellScheduled(entry, telling);
      break;
    case 'blocked':
      if (telling.trail.place === 'added') correctSent(entry, telling, { state: 'BLOCKED' });
      telling.trail.place = 'waiting';
      break;
    case 'ready':
      tellReceived(entry, telling);
      break;
    case 'taken':
      tellStarted(entry, telling);
      break;
    case 'progress':
      telling.events.push(jobEvent('progress', entry, telling, { state: 'STARTED', progress: entry.progress }));
      break;
    case 'completed':
    case 'failed':
      tellEnd(entry, telling);
      break;
  }
}

function tellSent(entry: EntryOf<'added'>, telling: Telling): void {
  const { trail, facts } = telling;
  Object.assign(trail, { task: entry.task, charged: 0, startedAt: null, place: 'added' });
  const delayMs = facts?.delayMs ?? null;
  const state = delayMs === null ? 'PENDING' : 'SCHEDULED';
  telling.events.push(jobEvent('sent', entry, telling, { worker: null, attempt: null, state, delayMs }));
}

function tellScheduled(entry: EntryOf<'scheduled'>, telling: Telling): void {
  const { trail } = telling;
  const delayMs = Math.max(0, entry.dueAt - entry.at);
  if (trail.place === 'added') correctSent(entry, telling, { state: 'SCHEDULED', delayMs });
  else if (trail.place === 'running' || trail.place === 'unknown') tellLeft(entry, telling, delayMs);
  trail.place = 'waiting';
}

/** Where a new job was put is said by the entry behind the one that says that it was added. */
function correctSent({ queue, id }: LogEntry, { events }: Telling, correction: Partial<Event>): void {
  const index = events.findLastIndex((event) => event.type === 'sent' && event.id === id && event.queue === queue);
  const sent = events[index];
  if (sent !== undefined) events[index] = { ...sent, ...correction };
}

function tellReceived(entry: EntryOf<'ready'>, telling: Telling): void {
  const { trail, facts } = telling;
  if (entry.from === 'running') tellLeft(entry, telling, 0);
  // A dead letter that is put back may have its attempts counted anew.
  if (entry.from === 'ended') trail.charged = facts === undefined ? null : chargedBeforeEnd(facts);
  trail.place = 'waiting';
  const state = (trail.charged ?? 0) > 0 ? 'RETRY' : 'PENDING';
  telling.events.push(jobEvent('received', entry, telling, { worker: null, attempt: null, state }));
}

function tellStarted(entry: EntryOf<'taken'>, telling: Telling): void {
  const { trail, facts } = telling;
  if (trail.charged === null && facts !== undefined) trail.charged = chargedBeforeEnd(facts);
  trail.place = 'running';
  trail.startedAt = entry.at;
  telling.events.push(jobEvent('started', entry, telling, { state: 'STARTED' }));
}

/** The job has left its worker unfinished: a retry, if an attempt was charged for it. */
function tellLeft(entry: LogEntry, telling: Telling, delayMs: number): void {
  const { trail, facts } = telling;
  if (!isCharged(entry, telling)) return;
  const durationMs = durationOf(entry, telling);
  const error = errorOfRetry(telling);
  telling.events.push(jobEvent('retried', entry, telling, { state: 'RETRY', delayMs, durationMs, error }));
  trail.charged = trail.charged === null ? (facts?.attemptsCharged ?? null) : trail.charged + 1;
}

/** The job may have failed again since; when it holds all of its errors, each attempt has its own. */
function errorOfRetry({ trail, facts }: Telling): string | null {
  const own = trail.charged === null ? undefined : facts?.errors?.[trail.charged];
  const error = own ?? facts?.error;
  return error == null ? null : shortenError(error);
}

function isCharged(entry: LogEntry, { trail, facts }: Telling): boolean {
  // Of a job that is gone: BullMQ's own retries pass through the delayed set, jobs that are handed back do not.
  if (facts === undefined) return entry.kind === 'scheduled' && trail.place === 'running';
  if (trail.charged === null) {
    const isRetry = facts.attemptsCharged > 0 && facts.error !== null;
    if (isRetry) trail.charged = Math.max(0, chargedBeforeEnd(facts) - 1);
    return isRetry;
  }
  return chargedBeforeEnd(facts) > trail.charged;
}

function tellEnd(entry: EntryOf<'completed' | 'failed'>, telling: Telling): void {
  const { trail, facts } = telling;
  if (trail.charged === null && facts !== undefined) trail.charged = chargedBeforeEnd(facts);
  const durationMs = durationOf(entry, telling);
  if (entry.kind === 'completed') {
    const { state, reason } = entry;
    const why = state === 'FAILURE' ? { error: shortenError(reason ?? '') } : { reason };
    telling.events.push(jobEvent(END_TYPES[state], entry, telling, { state, ...why, durationMs }));
  } else {
    const error = shortenError(errorOf(entry, facts));
    const event = jobEvent('failed', entry, telling, { state: 'FAILURE', error, durationMs });
    telling.events.push(event, { ...event, type: 'dead' });
  }
  trail.charged = trail.charged === null ? null : trail.charged + 1;
  trail.place = 'ended';
  trail.startedAt = null;
}

/** A job that completed with a failure has failed; only what is a dead letter is told as `dead` too. */
const END_TYPES = { SUCCESS: 'succeeded', IGNORED: 'ignored', REVOKED: 'revoked', FAILURE: 'failed' } as const;

/** The log has the message alone; the job has the name of the error too, unless it has failed otherwise since. */
function errorOf({ message }: EntryOf<'failed'>, facts: JobFacts | undefined): string {
  return facts?.error?.endsWith(`: ${message}`) === true ? facts.error : `Error: ${message}`;
}

function durationOf({ at }: LogEntry, { trail, facts }: Telling): number | null {
  if (trail.startedAt !== null) return Math.max(0, at - trail.startedAt);
  if (facts?.startedAt == null || facts.startedAt > at) return null;
  return facts.finishedAt === null ? at - facts.startedAt : Math.max(0, facts.finishedAt - facts.startedAt);
}

function jobEvent(type: EventType, { queue, id, at }: LogEntry, { trail }: Telling, given: Partial<Event>): Event {
  const { task, worker, requestId, charged } = trail;
  return createEvent(type, at, {
    id,
    task,
    queue,
    worker,
    requestId,
    attempt: charged === null ? null : charged + 1,
    ...given,
  });
}
