/**
 * The name of a worker, which no other live worker has. It is a lease in the state of the broker, `worker/name/NAME`, and
 * its holder's text says who that is.
 *
 * 1. A name that is free is taken.
 * 2. A holder whose process is known to have ended, because it ran on this machine, gives way at once.
 * 3. Any other holder is watched: one that renews its lease is alive, and the new worker is refused; one that does not is
 *    dead, and its name is free when the lease ends. So a worker that restarts after a crash waits 15 seconds at most, and
 *    the second of two is refused within 3.
 * 4. The name is kept by renewing it, and given back when the worker stops.
 *
 * A holder that cannot renew in time, because the broker is away or its event loop is blocked, may lose its name to another
 * worker. It goes on working, since names are for people and not for jobs, and says so.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { StateStore } from '../broker/state-port.ts';
import type { Clock } from '../core/clock.ts';
import { createError } from '../core/errors.ts';
import { formatWorkerName, isNumbered } from './name-template.ts';
import { isKnownDead, readOwnPlace, type WorkerPlace } from './worker-place.ts';

const LEASE_MS = 15_000;
const RENEW_MS = 3000;
/** How long giving the name back may take; after that its lease ends by itself. */
const RELEASE_MS = 1000;
/** A fleet of more workers that share one pattern is a mistake in it. */
const MAX_NUMBER = 10_000;

export interface NameRequest {
  /** With placeholders: `tq%n@%h`. */
  readonly template: string;
  /** Where the numbers of `%n` begin. Default 1. */
  readonly firstNumber?: number;
  /** Of the node that will bear the name; tells two workers of one process apart. */
  readonly nodeId: string;
  readonly state: StateStore;
  readonly clock: Clock;
  /** Another worker has the name now, because it could not be renewed in time. Said once. */
  readonly onLost: (holder: NameHolder) => void;
  /** The state could not be reached; the next renewal tries again. */
  readonly onTrouble?: (error: Error) => void;
  readonly leaseMs?: number;
  readonly renewMs?: number;
  /** Default this process. */
  readonly place?: WorkerPlace;
}

export interface NameHolder extends WorkerPlace {
  readonly nodeId: string;
  /** When it took the name, epoch ms of its own clock. */
  readonly since: number;
}

export interface HeldName {
  readonly name: string;
  release(): Promise<void>;
}

/**
 * Takes a name for a worker, and keeps it until it is released.
 *
 * @throws WORKER_NAME_TAKEN, BROKER_UNAVAILABLE, INVALID_OPTION for a template that gives no usable name
 */
export async function takeWorkerName(request: NameRequest): Promise<HeldName> {
  const { template, nodeId, clock, place = readOwnPlace() } = request;
  const self: NameHolder = { nodeId, ...place, since: clock.now() };
  if (!isNumbered(template)) {
    const name = formatWorkerName(template, place);
    const other = await tryName(name, self, request);
    if (other !== undefined) await waitForName(name, { self, other, request });
    return keepName(name, self, request);
  }
  for (let number = request.firstNumber ?? 1; number <= MAX_NUMBER; number += 1) {
    const name = formatWorkerName(template, { ...place, number });
    if ((await tryName(name, self, request)) === undefined) return keepName(name, self, request);
  }
  throw createError('INVALID_OPTION', {
    what: 'the name of the worker',
    expected: `a pattern of which one of ${MAX_NUMBER} numbers is free`,
    given: JSON.stringify(template),
  });
}

/** A lease that somebody else holds: who, and for how long. */
interface Held {
  readonly holder: string;
  readonly leftMs: number;
}

/** @returns who has the name; undefined when it is ours */
async function tryName(name: string, self: NameHolder, request: NameRequest): Promise<Held | undefined> {
  const { state, place = readOwnPlace() } = request;
  let found = await lease(name, self, request);
  if (found === undefined) return undefined;
  const holder = parseHolder(found.holder);
  if (holder !== undefined && isKnownDead(holder, place)) {
    await state.release(keyOf(name), found.holder);
    found = await lease(name, self, request);
  }
  return found;
}

async function lease(
  name: string,
  self: NameHolder,
  { state, leaseMs = LEASE_MS }: NameRequest,
): Promise<Held | undefined> {
  const own = JSON.stringify(self);
  const { holder, leftMs } = await state.lease(keyOf(name), own, leaseMs);
  return holder === own ? undefined : { holder, leftMs };
}

/** Resolves when the name is ours. @throws WORKER_NAME_TAKEN */
async function waitForName(
  name: string,
  { self, other, request }: { readonly self: NameHolder; readonly other: Held; readonly request: NameRequest },
): Promise<void> {
  const { clock, renewMs = RENEW_MS } = request;
  let seen: Held = other;
  let seenAt = clock.monotonic();
  for (;;) {
    await wait(Math.min(renewMs / 4, seen.leftMs + 1));
    const found = await lease(name, self, request);
    if (found === undefined) return;
    const now = clock.monotonic();
    // A lease that nobody renews runs down as the time passes; half of that leaves room for slow answers.
    const isRenewed = found.leftMs > seen.leftMs - (now - seenAt) / 2;
    if (found.holder !== seen.holder || isRenewed) throw nameTaken(name, found.holder);
    seen = found;
    seenAt = now;
  }
}

function keepName(name: string, self: NameHolder, request: NameRequest): HeldName {
  const { state, onLost, onTrouble, renewMs = RENEW_MS } = request;
  let renewing: Promise<void> | undefined;
  let isLost = false;
  const renew = async (): Promise<void> => {
    try {
      const other = await lease(name, self, request);
      if (other !== undefined && !isLost) onLost(parseHolder(other.holder) ?? { ...UNKNOWN });
      isLost = other !== undefined;
    } catch (error) {
      onTrouble?.(error as Error);
    }
  };
  const timer = setInterval(() => {
    // One that waits for a lost broker is not joined by others.
    renewing ??= renew().finally(() => {
      renewing = undefined;
    });
  }, renewMs);
  return {
    name,
    async release() {
      clearInterval(timer);
      const released = (async () => {
        await renewing;
        await state.release(keyOf(name), JSON.stringify(self));
      })().catch(() => undefined);
      await Promise.race([released, wait(RELEASE_MS, undefined, { ref: false })]);
    },
  };
}

function keyOf(name: string): string {
  return `worker/name/${name}`;
}

const UNKNOWN: NameHolder = { nodeId: '', host: 'an unknown host', pid: 0, space: null, since: 0 };

function parseHolder(text: string): NameHolder | undefined {
  try {
    const { nodeId, host, pid, space = null, since } = JSON.parse(text) as Partial<NameHolder>;
    if (typeof nodeId !== 'string' || typeof host !== 'string') return undefined;
    if (typeof pid !== 'number' || typeof since !== 'number') return undefined;
    return { nodeId, host, pid, space, since };
  } catch {
    return undefined;
  }
}

function nameTaken(name: string, holder: string): Error {
  const { host, pid, since } = parseHolder(holder) ?? UNKNOWN;
  return createError('WORKER_NAME_TAKEN', { worker: name, host, pid, since: new Date(since).toISOString() });
}
