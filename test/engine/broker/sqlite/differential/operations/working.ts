import { type Job, UnrecoverableError } from 'bullmq';
import fc from 'fast-check';
import { define } from '../definition.ts';
import { roundToTick } from '../store.ts';
import { findTarget, IDLE, type Target } from '../targets.ts';
import type { HeldJob, QueueIndex, WorkerIndex, World } from '../world.ts';
import { delayMs, nth, queue, rarely, reason, record, result, storedMs, target, worker } from './choices.ts';
import { type Outcome, outcome, runOutcome } from './outcome.ts';

/** Which lock a call claims to have: the one that the job was taken with, another's, or none. */
export type Claim = 'own' | 'other' | 'none';
const claim = fc.constantFrom<Claim>('own', 'own', 'own', 'own', 'own', 'other', 'none');

/** Which of the taken jobs: one that is held, or one that was already settled. */
export interface Held {
  readonly nth: number;
  readonly again?: true;
}
const again = rarely(8, fc.constant(true as const));

export const working = {
  /** One round of a worker: takes a job and runs it. */
  run: define(
    20,
    record<{ queue: QueueIndex; worker: WorkerIndex; token: number; outcome: Outcome; fetchNext: boolean }>({
      ...{ queue, worker, token: fc.nat(2), outcome, fetchNext: fc.boolean() },
    }),
    async (world, given) => {
      const own = world.workers[given.queue][given.worker];
      const token = `token-${given.token}`;
      const job = await own.getNextJob(token, { block: false });
      if (!job) return null;
      hold(world, given.queue, given.worker, token, job as Job);
      return [job, await settle(world, { nth: 0 }, (held) => process(world, held, given.outcome, given.fetchNext))];
    },
  ),

  take: define(
    30,
    record<{ queue: QueueIndex; worker: WorkerIndex; token: number }>({ queue, worker, token: fc.nat(2) }),
    async (world, given) => {
      const token = `token-${given.token}`;
      const taken = await world.workers[given.queue][given.worker].getNextJob(token, { block: false });
      return hold(world, given.queue, given.worker, token, taken as Job | undefined);
    },
  ),

  complete: define(
    12,
    record<Held & { value: unknown; claim: Claim; fetchNext: boolean }>({
      nth,
      again,
      value: result,
      claim,
      fetchNext: fc.boolean(),
    }),
    (world, given) =>
      settle(world, given, async (held) => {
        const next = await held.job.moveToCompleted(given.value, tokenOf(held, given.claim), given.fetchNext);
        return takeNext(world, held, next);
      }),
  ),

  fail: define(
    12,
    record<Held & { message: string; unrecoverable?: true; claim: Claim; fetchNext: boolean }>({
      nth,
      again,
      message: reason,
      unrecoverable: again,
      claim,
      fetchNext: fc.boolean(),
    }),
    (world, given) =>
      settle(world, given, async (held) => {
        const error = given.unrecoverable ? new UnrecoverableError(given.message) : new Error(given.message);
        const next = await held.job.moveToFailed(error, tokenOf(held, given.claim), given.fetchNext);
        return takeNext(world, held, next);
      }),
  ),

  /** What a worker does with a job that it has taken, with a processor that ends so. */
  process: define(
    20,
    record<Held & { outcome: Outcome; fetchNext: boolean }>({ nth, again, outcome, fetchNext: fc.boolean() }),
    (world, given) => settle(world, given, (held) => process(world, held, given.outcome, given.fetchNext)),
  ),

  moveToDelayed: define(
    4,
    record<Held & { ms: number; claim: Claim }>({ nth, again, ms: delayMs, claim }),
    (world, given) =>
      settle(world, given, (held) => held.job.moveToDelayed(world.clock.now + given.ms, tokenOf(held, given.claim))),
  ),

  moveToWait: define(4, record<Held & { claim: Claim }>({ nth, again, claim }), (world, given) =>
    settle(world, given, async (held) => roundToTick(await held.job.moveToWait(tokenOf(held, given.claim)))),
  ),

  moveToWaitingChildren: define(
    6,
    record<Held & { claim: Claim; child?: Target }>({ nth, again, claim, child: rarely(50, target()) }),
    (world, given) =>
      settle(world, given, (held) => {
        const ref = given.child && findTarget(world, given.child);
        const child = ref && { id: ref.id, queue: world.queues[ref.queue].qualifiedName };
        return held.job.moveToWaitingChildren(tokenOf(held, given.claim), child ? { child } : {});
      }),
  ),

  extendLock: define(
    4,
    record<Held & { claim: Claim; ms: number }>({ nth, again, claim, ms: storedMs }),
    async (world, given) => {
      const held = findHeld(world, given);
      return held ? held.job.extendLock(tokenOf(held, given.claim), given.ms) : IDLE;
    },
  ),

  /** Of all jobs that a worker holds, as its timer does; with a wrong token for each `wrong`th. */
  extendLocks: define(
    3,
    record<{ queue: QueueIndex; worker: WorkerIndex; ms: number; wrong: number }>({
      ...{ queue, worker, ms: storedMs },
      wrong: fc.constantFrom(9, 2, 1),
    }),
    (world, given) => {
      const held = world.held.filter((each) => each.queue === given.queue);
      const tokens = held.map((each, at) => ((at + 1) % given.wrong === 0 ? 'stranger' : each.token));
      const ids = held.map((each) => each.job.id ?? '');
      return world.workers[given.queue][given.worker].extendJobLocks(ids, tokens, given.ms);
    },
  ),

  /** Its result comes as notes of the worker. */
  checkStalled: define(6, record<{ queue: QueueIndex; worker: WorkerIndex }>({ queue, worker }), (world, given) =>
    world.workers[given.queue][given.worker].checkStalled(),
  ),
};

/** Counted from the last that was taken, whose lock is the most likely to last. */
function findHeld(world: World, { nth: at, again: settled }: Held): HeldJob | undefined {
  const from = settled ? world.settled : world.held;
  return from.at(-1 - (at % from.length));
}

/** '0' is BullMQ's token of a caller that does not look at locks. */
function tokenOf(held: HeldJob, claimed: Claim): string {
  return { own: held.token, other: 'stranger', none: '0' }[claimed];
}

/** Settles a taken job. It stays held when its lock is refused for being another's. */
async function settle(world: World, which: Held, act: (held: HeldJob) => Promise<unknown>): Promise<unknown> {
  const held = findHeld(world, which);
  if (!held) return IDLE;
  const release = (): void => {
    const at = world.held.indexOf(held);
    if (at >= 0) world.settled.push(...world.held.splice(at, 1));
  };
  try {
    const given = await act(held);
    release();
    return given;
  } catch (error) {
    if ((error as { code?: unknown }).code !== LOCK_MISMATCH) release();
    throw error;
  }
}

/** BullMQ's code for it. */
const LOCK_MISMATCH = -6;

function hold(world: World, on: QueueIndex, by: WorkerIndex, token: string, job: Job | undefined): unknown {
  if (job) world.held.push({ queue: on, worker: by, job, token });
  return job ?? null;
}

/** The end of a job gives data of the next, of which the worker makes a job; or how long a limit or a delay lasts. */
async function takeNext(world: World, held: HeldJob, next: unknown): Promise<unknown> {
  if (!Array.isArray(next)) return next;
  const [data, id, limitMs, delayUntil] = next;
  const job = data ? await world.workers[held.queue][held.worker].openJob(data, id, held.token) : undefined;
  return { job: hold(world, held.queue, held.worker, held.token, job), limitMs: roundToTick(limitMs), delayUntil };
}

async function process(world: World, held: HeldJob, given: Outcome, fetchNext: boolean): Promise<unknown> {
  const own = world.workers[held.queue][held.worker];
  world.errand = (job, token) => runOutcome(given, own, job, token);
  const next = await own.processJob(held.job as never, held.token, () => fetchNext);
  return hold(world, held.queue, held.worker, held.token, (next ?? undefined) as Job | undefined);
}
