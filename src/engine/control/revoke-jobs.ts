/**
 * Revokes jobs, and says what happened to each.
 *
 * 1. The jobs are looked for. Of a number, which BullMQ gives out in each queue, only one queue may hold a job.
 * 2. Those that have not finished are marked in the broker. From here on none of them is started, whatever comes: what is not
 *    active now is done.
 * 3. The workers are asked to end what is active. Each ends what it holds and answers with receipts when it has ended, or at
 *    the end of a grace time with what has not.
 * 4. The broker has the last word: an active job without a receipt may have ended meanwhile, gone back to its queue, or be on
 *    its way to its worker, which has been told by then. It is looked at until it has ended or the time is over.
 *
 * The mark does not depend on any of the later steps: who is cut off between them has revoked the jobs all the same.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { ControlAnswer, ControlAnswers } from '../broker/control-port.ts';
import type { Broker, JobBrief } from '../broker/port.ts';
import { inBatches } from '../core/batches.ts';
import type { Clock } from '../core/clock.ts';
import type { Happened, Revocation, RevokedJob } from '../core/revocation.ts';
import { locateJobs, type Place } from './locate-jobs.ts';
import { type RevokeOrder, type RevokeReceipt, readReceipts } from './revoke-order.ts';
import { keepRevoked } from './revoked-index.ts';

export interface RevokeRequest extends Place {
  readonly ids: readonly string[];
  /** End the processes of running jobs instead of aborting their signals. */
  readonly terminate?: boolean | undefined;
  /** Who asks, for the record. */
  readonly by?: string | undefined;
  /** Workers that are to end what they run; all live ones without it. The jobs are marked in any case. */
  readonly destinations?: readonly string[] | undefined;
  /** How long running jobs and silent workers are waited for. Default 5 s. */
  readonly timeoutMs?: number | undefined;
  /** @param done jobs that are marked */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** What revoking takes of a broker. */
export type RevokingBroker = Pick<Broker, 'queue' | 'listQueues' | 'state' | 'control'>;

/** The answers are receipts of the workers that were asked; nobody is asked when no job is active. */
export interface RevokeReport extends ControlAnswers {
  /** In the order of the ids, each once. */
  readonly jobs: readonly RevokedJob[];
}

const DEFAULT_TIMEOUT_MS = 5000;
/** Of the time, what is left for the way of the answers. */
const SLACK_MS = 500;
/** Jobs of one question: it must not be larger than a message may be. */
const MAX_ASKED = 200;
/** The first looks at jobs that are about to end follow quickly. */
const LOOK_AGAIN_MS = [10, 20, 50, 100];

/** @throws BROKER_UNAVAILABLE, and AMBIGUOUS_JOB before anything is changed */
export async function revokeJobs(
  { broker, clock }: { readonly broker: RevokingBroker; readonly clock: Clock },
  request: RevokeRequest,
): Promise<RevokeReport> {
  const ids = [...new Set(request.ids)];
  const located = await locateJobs(broker, ids, request);
  const revocation: Revocation = { at: clock.now(), by: request.by ?? null };
  const marked = await markJobs(broker, located, { revocation, onProgress: request.onProgress });
  const active = [...marked.values()].filter(({ phase }) => phase === 'active');
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = request;
  const overAt = clock.monotonic() + timeoutMs;
  const replies = await askHolders(broker, active, { ...request, revocation, timeoutMs });
  const settled = await settle({ broker, clock, overAt }, active, { ...request, ...replies });
  const jobs = await inBatches(ids, READ_AT_ONCE, (batch) =>
    Promise.all(
      batch.map(async (id) => settled.get(id) ?? (await describeIdle(broker, id, marked.get(id) ?? located.get(id)))),
    ),
  );
  return { answers: replies.answers, silent: replies.silent, jobs };
}

/** Jobs of one round trip to mark them. */
const MARKED_AT_ONCE = 500;
const READ_AT_ONCE = 100;

/** @returns the jobs that had not finished, as they are once they are marked */
async function markJobs(
  broker: RevokingBroker,
  located: ReadonlyMap<string, JobBrief>,
  { revocation, onProgress }: { revocation: Revocation; onProgress: RevokeRequest['onProgress'] },
): Promise<Map<string, JobBrief>> {
  const unfinished = [...located.values()].filter(({ phase }) => phase !== 'finished');
  const marked = new Map<string, JobBrief>();
  for (const [queue, briefs] of Map.groupBy(unfinished, (brief) => brief.queue)) {
    await inBatches(briefs, MARKED_AT_ONCE, async (batch) => {
      const ids = batch.map(({ id }) => id);
      const now = await broker.queue(queue).revoke(ids, revocation);
      for (const brief of now) marked.set(brief.id, brief);
      await keepRevoked(broker.state, now);
      onProgress?.(marked.size);
      return now;
    });
  }
  return marked;
}

interface Question {
  readonly revocation: Revocation;
  readonly terminate?: boolean | undefined;
  readonly destinations?: readonly string[] | undefined;
  readonly timeoutMs: number;
}

async function askHolders(
  broker: RevokingBroker,
  active: readonly JobBrief[],
  { revocation, terminate = false, destinations, timeoutMs }: Question,
): Promise<ControlAnswers> {
  if (active.length === 0) return { answers: new Map(), silent: [] };
  const graceMs = Math.max(timeoutMs / 2, timeoutMs - SLACK_MS);
  const targets = active.map(({ id, queue, worker }) => ({ id, queue, worker }));
  const orders: RevokeOrder[] = [];
  for (let from = 0; from < targets.length; from += MAX_ASKED) {
    orders.push({ jobs: targets.slice(from, from + MAX_ASKED), revocation, terminate, graceMs });
  }
  const addressed = destinations === undefined ? {} : { destinations };
  const parts = await Promise.all(
    orders.map((args) => broker.control.ask({ command: 'revoke', args, ...addressed, timeoutMs })),
  );
  return joinReplies(parts);
}

/** A worker that answered one part with an error has that as its answer; else its receipts of all parts. */
export function joinReplies(parts: readonly ControlAnswers[]): ControlAnswers {
  const answers = new Map<string, ControlAnswer>();
  for (const [name, answer] of parts.flatMap((part) => [...part.answers])) {
    const before = answers.get(name);
    if (before?.ok === false) continue;
    const value = answer.ok ? [...readReceipts(before?.value), ...readReceipts(answer.value)] : null;
    answers.set(name, answer.ok ? { ok: true, value } : answer);
  }
  return { answers, silent: [...new Set(parts.flatMap(({ silent }) => silent))].sort() };
}

/** What became of the jobs that were active, by id. */
async function settle(
  { broker, clock, overAt }: { readonly broker: RevokingBroker; readonly clock: Clock; readonly overAt: number },
  active: readonly JobBrief[],
  { answers, silent, destinations }: ControlAnswers & { readonly destinations?: readonly string[] | undefined },
): Promise<Map<string, RevokedJob>> {
  const receipts = readAllReceipts(answers);
  const settled = new Map<string, RevokedJob>();
  const hasAnswered = ({ worker }: JobBrief): boolean => worker !== null && answers.get(worker)?.ok === true;
  const isAwaited = (brief: JobBrief): boolean => {
    const happened = receipts.get(keyOf(brief))?.happened;
    return happened === undefined ? hasAnswered(brief) : happened !== 'ignored the signal';
  };
  const findReason = (brief: JobBrief): Happened => {
    const receipt = receipts.get(keyOf(brief));
    if (receipt !== undefined) return receipt.happened;
    const { worker } = brief;
    if (worker === null || hasAnswered(brief)) return 'orphaned';
    if (destinations !== undefined && !destinations.includes(worker)) return 'not asked';
    return silent.includes(worker) || answers.has(worker) ? 'no answer' : 'orphaned';
  };

  let open = active;
  for (let looks = 0; open.length > 0; looks += 1) {
    const now = await readBriefs(broker, open);
    const isOver = clock.monotonic() >= overAt;
    const still: JobBrief[] = [];
    for (const before of open) {
      const brief = now.get(keyOf(before));
      const { id, task, queue } = before;
      const receipt = receipts.get(keyOf(before));
      if (brief?.phase === 'active') {
        if (!isOver && isAwaited(before)) still.push(before);
        else settled.set(id, { id, task, queue, happened: findReason(before), state: 'STARTED', worker: brief.worker });
      } else if (brief === undefined || brief.phase === 'finished') {
        const job = await broker.queue(queue).readJob(id);
        // Without a receipt it was refused by the worker that it was on its way to.
        const happened = receipt?.happened ?? (job?.state === 'REVOKED' ? findRefusal(before) : 'had finished');
        settled.set(id, { id, task, queue, happened, state: job?.state ?? 'UNKNOWN', worker: before.worker });
      } else {
        const { worker } = brief;
        settled.set(id, { id, task, queue, happened: 'not started again', state: 'REVOKED', worker });
      }
    }
    open = still;
    if (open.length > 0) await wait(LOOK_AGAIN_MS[Math.min(looks, LOOK_AGAIN_MS.length - 1)]);
  }
  return settled;
}

function readAllReceipts(answers: ReadonlyMap<string, ControlAnswer>): Map<string, RevokeReceipt> {
  const receipts = [...answers.values()].flatMap((answer) => (answer.ok ? readReceipts(answer.value) : []));
  return new Map(receipts.map((receipt) => [keyOf(receipt), receipt]));
}

async function readBriefs(broker: RevokingBroker, jobs: readonly JobBrief[]): Promise<Map<string, JobBrief>> {
  const briefs = new Map<string, JobBrief>();
  for (const [queue, group] of Map.groupBy(jobs, (job) => job.queue)) {
    await inBatches(group, MARKED_AT_ONCE, async (batch) => {
      const now = await broker.queue(queue).listBriefs(batch.map(({ id }) => id));
      for (const brief of now) briefs.set(keyOf(brief), brief);
      return now;
    });
  }
  return briefs;
}

/** A job that was not active when it was marked, or had finished, or is unknown. */
async function describeIdle(broker: RevokingBroker, id: string, brief: JobBrief | undefined): Promise<RevokedJob> {
  if (brief === undefined) return { id, task: null, queue: null, happened: 'unknown', state: 'UNKNOWN', worker: null };
  const { task, queue, worker } = brief;
  if (brief.phase !== 'finished') return { id, task, queue, happened: findRefusal(brief), state: 'REVOKED', worker };
  const job = await broker.queue(queue).readJob(id);
  return { id, task, queue, happened: 'had finished', state: job?.state ?? 'UNKNOWN', worker };
}

function findRefusal({ attempts }: JobBrief): Happened {
  return attempts > 0 ? 'not started again' : 'never started';
}

/** Ids are unique within a queue alone. */
function keyOf({ queue, id }: { readonly queue: string; readonly id: string }): string {
  return `${queue}\n${id}`;
}
