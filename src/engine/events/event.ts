import type { JobState } from '../core/state.ts';

export const EVENT_TYPES = [
  'sent',
  'received',
  'started',
  'progress',
  'succeeded',
  'retried',
  'failed',
  'dead',
  'revoked',
  'ignored',
  'worker-online',
  'worker-offline',
] as const;

/**
 * - `sent`: a job was stored;
 * - `received`: its queue has it ready for a worker;
 * - `started`: a worker took it;
 * - `progress`: its task reported progress;
 * - `succeeded`: it ended with a result;
 * - `retried`: an attempt failed, and another one follows;
 * - `failed`: an attempt failed, and none follows; `dead` comes with it: the job is a dead letter now;
 * - `revoked`, `ignored`: it ended so, which is no failure;
 * - `worker-online`, `worker-offline`: a worker can be asked now, or cannot any more.
 */
export type EventType = (typeof EVENT_TYPES)[number];

/** Something that happened, as one flat record. Every event has every key; what does not apply or is not known is null. */
export interface Event {
  readonly type: EventType;
  /** Epoch milliseconds of the store's clock. */
  readonly at: number;
  /** Of the job. */
  readonly id: string | null;
  readonly task: string | null;
  readonly queue: string | null;
  /** Name of the worker that has or had the job, or that came or left. */
  readonly worker: string | null;
  /** The attempt that runs or has ended, from 1. */
  readonly attempt: number | null;
  readonly requestId: string | null;
  /** Of the job, after the event. */
  readonly state: JobState | null;
  /** How long the attempt took, with `succeeded`, `retried`, `failed`, `dead`, `revoked` and `ignored`. */
  readonly durationMs: number | null;
  /** From the event until the job is due, with `sent` and `retried`. */
  readonly delayMs: number | null;
  /** What the task reported, with `progress`. */
  readonly progress: unknown;
  /** `Name: message` with `retried`, `failed` and `dead`: its first line, at most 300 characters. */
  readonly error: string | null;
  /** Why, with `revoked` and `ignored`. */
  readonly reason: string | null;
  /** Of the worker, with `worker-online` and `worker-offline`. */
  readonly host: string | null;
  readonly pid: number | null;
}

/** The keys of every event, in the order that they are written in. */
export const EVENT_KEYS = [
  'type',
  'at',
  'id',
  'task',
  'queue',
  'worker',
  'attempt',
  'requestId',
  'state',
  'durationMs',
  'delayMs',
  'progress',
  'error',
  'reason',
  'host',
  'pid',
] as const satisfies readonly (keyof Event)[];

const NOTHING: Omit<Event, 'type' | 'at'> = {
  id: null,
  task: null,
  queue: null,
  worker: null,
  attempt: null,
  requestId: null,
  state: null,
  durationMs: null,
  delayMs: null,
  progress: null,
  error: null,
  reason: null,
  host: null,
  pid: null,
};

/** An event with every key, in their order. */
export function createEvent(type: EventType, at: number, given: Partial<Event>): Event {
  return { type, at, ...NOTHING, ...given };
}

const ERROR_LENGTH = 300;

/** The text of an error as events carry it: one line, cut. */
export function shortenError(text: string): string {
  const [line = ''] = text.split('\n');
  return line.length <= ERROR_LENGTH ? line : `${line.slice(0, ERROR_LENGTH - 1)}…`;
}
