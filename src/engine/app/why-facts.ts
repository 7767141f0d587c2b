/**
 * Gathers what the reasons of a job are found from (core/why). It reads and asks; nothing is changed.
 *
 * The broker is read and the workers are asked at the same time; after that the job is read again. One that has moved meanwhile is
 * looked at a second time, so that a job that was just taken is not told to wait.
 */
import type { ControlAnswers } from '../broker/control-port.ts';
import type { Broker } from '../broker/port.ts';
import { WorkflowStore } from '../canvas/workflow-store.ts';
import { askLiveWorkers } from '../control/ask-live-workers.ts';
import type { HeldJobs, RegisteredTask, WorkerStats } from '../control/replies.ts';
import { isRecord } from '../core/envelope.ts';
import { TqError } from '../core/errors.ts';
import type { StoredJob } from '../core/job.ts';
import type { ChildFacts, HoldFacts, TaskFacts, WhyFacts, WorkerFacts } from '../core/why/job-facts.ts';
import { nameError } from '../core/why/reason.ts';
import {
  concurrencyLine,
  heldKey,
  heldPrefix,
  limitKey,
  parseHeld,
  parseLine,
} from '../worker/admission/held-index.ts';
import { listPausedTasks } from '../worker/admission/paused-tasks.ts';
import { parseHolder } from '../worker/admission/places.ts';
import { listAsked } from '../worker/unknown-task.ts';

export interface WhyAsking {
  readonly broker: Broker;
  /** Epoch ms. */
  readonly now: () => number;
  /** How long silent workers are waited for; by default as long as `tq inspect` does. */
  readonly timeoutMs?: number | undefined;
}

/** Held jobs of a task that are looked through for one that waits for a key of a concurrency limit. */
const HELD_LOOKED_AT = 10_000;

/**
 * @returns the facts, with the job as it is then; undefined when it is gone meanwhile
 * @throws BROKER_UNAVAILABLE
 */
export async function gatherWhyFacts(asking: WhyAsking, seen: StoredJob): Promise<WhyFacts | undefined> {
  const facts = await gatherOnce(asking, seen);
  const job = await asking.broker.queue(seen.queue).readJob(seen.id);
  if (job === undefined) return undefined;
  return isWhereItWas(job, seen) ? { ...facts, job } : await gatherOnce(asking, job);
}

function isWhereItWas(job: StoredJob, seen: StoredJob): boolean {
  return job.state === seen.state && job.startedAt === seen.startedAt && job.dueAt === seen.dueAt;
}

async function gatherOnce(asking: WhyAsking, job: StoredJob): Promise<WhyFacts> {
  const { broker, now, timeoutMs } = asking;
  const addressed = timeoutMs === undefined ? {} : { timeoutMs };
  const ask = (command: string): Promise<ControlAnswers> =>
    askLiveWorkers(broker.control, { command, args: null }, addressed);
  const [standing, held, stats, registered, taskPausedSince, hold, workflow] = await Promise.all([
    broker.queue(job.queue).readStanding(job.id, now()),
    ask('held'),
    ask('stats'),
    ask('registered'),
    readPause(broker, job),
    readHold(broker, job),
    readWorkflowState(broker, job),
  ]);
  const workers = toWorkers(held, stats, registered);
  const silent = new Set(
    [...held.silent, ...stats.silent].filter((name) => !workers.some((each) => each.name === name)),
  );
  const [children, putBackBy] = await Promise.all([
    readPendingChildren(broker, standing.pendingChildren),
    hold === null ? readPutBack(broker, job) : [],
  ]);
  const facts = {
    standing,
    workers,
    silent: [...silent].sort(),
    taskPausedSince,
    held: hold,
    children,
    putBackBy,
    workflow,
  };
  return { now: now(), job, ...facts };
}

/** Of the workers that said what they have, and what they are. */
function toWorkers(held: ControlAnswers, stats: ControlAnswers, registered: ControlAnswers): WorkerFacts[] {
  return [...held.answers].flatMap(([name, answer]) => {
    const [has, is, knows] = [answer, stats.answers.get(name), registered.answers.get(name)].map((each) =>
      each?.ok === true ? each.value : undefined,
    );
    if (!isRecord(has) || !isRecord(is)) return [];
    const { active, reserved, queues, lockDurationMs } = has as unknown as HeldJobs;
    const { concurrency, health } = is as unknown as WorkerStats;
    return [
      {
        ...{ name, queues, reserved, lockDurationMs },
        slots: concurrency,
        running: active.map(({ id, task, queue, runningMs }) => ({ id, task, queue, runningMs })),
        problems: health?.ready === false ? health.problems : [],
        tasks: Array.isArray(knows) ? new Map(knows.map(toTask)) : null,
      },
    ];
  });
}

function toTask({ task, timeLimitMs, rateLimit, concurrency }: RegisteredTask): [string, TaskFacts] {
  return [task, { timeLimitMs, rateLimit, concurrency }];
}

async function readPause(broker: Broker, { task }: StoredJob): Promise<number | null> {
  const paused = await orNothing(() => listPausedTasks(broker.state), []);
  return paused.find((each) => each.task === task)?.since ?? null;
}

async function readHold(broker: Broker, job: StoredJob): Promise<HoldFacts | null> {
  if (job.dueAt === null) return null;
  return await orNothing(async () => {
    const { state } = broker;
    const exact = ['pause', 'rate', concurrencyLine('')] as const;
    const found = await Promise.all(exact.map((line) => state.read(heldKey(job, line))));
    const entry = found.find((each) => each !== undefined) ?? (await findKeyed(broker, job));
    if (entry === undefined) return null;
    const { by } = parseHeld(entry);
    if (by !== 'concurrency') return { by, holders: [] };
    const holders = await state.listHolders(limitKey(job.task, parseLine(entry.key)));
    return { by, holders: holders.map(parseHolder).filter((holder) => holder !== undefined) };
  }, null);
}

/** The entries of a key stand under a digest of it, which is the worker's to make: they are looked through. */
async function findKeyed({ state }: Broker, job: StoredJob) {
  const prefix = heldPrefix(job.queue, job.task);
  if ((await state.list(prefix, 1)).length === 0) return undefined;
  const entries = await state.list(prefix, HELD_LOOKED_AT);
  return entries.find((entry) => parseHeld(entry).id === job.id);
}

async function readWorkflowState(broker: Broker, { id, meta }: StoredJob): Promise<WhyFacts['workflow']> {
  const workflow = meta.workflow?.id;
  if (workflow === undefined || workflow === id) return null;
  const graph = await orNothing(() => new WorkflowStore(broker.state).open(workflow), undefined);
  if (graph === undefined || graph.head.queue === null) return null;
  const [anchor] = await broker.queue(graph.head.queue).listSummaries([graph.head.job ?? workflow]);
  return anchor === undefined ? null : { id: workflow, state: anchor.state };
}

async function readPendingChildren(
  broker: Broker,
  pending: WhyFacts['standing']['pendingChildren'],
): Promise<ChildFacts[]> {
  const groups = [...Map.groupBy(pending, ({ queue }) => queue)];
  const lists = await Promise.all(
    groups.map(async ([queue, nodes]) => {
      const ids = nodes.map(({ id }) => id);
      const summaries = new Map((await broker.queue(queue).listSummaries(ids)).map((each) => [each.id, each]));
      return ids.map((id): ChildFacts => {
        const summary = summaries.get(id);
        const error = summary?.error == null ? null : nameError(summary.error);
        return { queue, id, task: summary?.task ?? null, state: summary?.state ?? 'UNKNOWN', error };
      });
    }),
  );
  return lists.flat();
}

/** Only of a job whose last taking ended so: the row is then the last of its log. */
async function readPutBack(broker: Broker, { id, queue, dueAt, startedAt }: StoredJob): Promise<string[]> {
  if (dueAt === null || startedAt === null) return [];
  const rows = await broker.queue(queue).readLog(id);
  return listAsked(rows.slice(-1)).length === 0 ? [] : listAsked(rows);
}

/** A store of plain BullMQ may have no place for what tq adds: then nothing is paused and held there. */
async function orNothing<Value>(read: () => Promise<Value>, nothing: Value): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof TqError && error.code === 'BROKER_UNSUITABLE') return nothing;
    throw error;
  }
}
