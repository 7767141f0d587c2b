import { readLeader } from '../engine/beat/live-beats.ts';
import type { ControlAnswers } from '../engine/broker/control-port.ts';
import type { Broker } from '../engine/broker/port.ts';
import type { RegisteredTask, WorkerStats } from '../engine/control/replies.ts';
import { type CheckedEntry, checkBeat } from '../engine/core/checkup/beat-checks.ts';
import { type Finding, ok, skipped } from '../engine/core/checkup/finding.ts';
import type { QueueLeftovers } from '../engine/core/checkup/leftovers.ts';
import { type CheckedQueue, checkQueues } from '../engine/core/checkup/queue-checks.ts';
import { type CheckedWorker, checkBrokerClock, checkNode, checkWorkers } from '../engine/core/checkup/worker-checks.ts';
import { isRecord } from '../engine/core/envelope.ts';
import { messageOf } from '../engine/core/errors.ts';
import { isOwnTask } from '../engine/core/own-tasks.ts';
import type { ScheduleView } from '../engine/schedule/schedule-view.ts';
import { chooseEntries } from './entry-choice.ts';
import { openSchedules } from './schedules-of.ts';
import type { Session } from './session.ts';
import { askWorkers } from './worker-replies.ts';

/** The first waiting jobs of a queue, whose tasks are looked at. */
const SAMPLED = 200;
/** Active jobs of a queue that are looked at. */
const ACTIVE_LOOKED_AT = 1000;

interface LiveWorker extends CheckedWorker {
  readonly queues: readonly string[];
  readonly tasks: ReadonlySet<string> | null;
}

/** Every check, in the order in which they are shown. @throws BROKER_UNAVAILABLE */
export async function listFindings(session: Session, timeoutMs: number | undefined): Promise<Finding[]> {
  const broker = await session.broker();
  const server = ok('broker', `${await broker.describe()} answers (${broker.url})`);
  const [settings, clock, { workers, silent }] = await Promise.all([
    orSkipped('settings', () => broker.checkup.checkSettings()),
    readSkew(broker, session),
    listWorkers(session, timeoutMs),
  ]);
  const beat = await orSkipped('beat', async () => {
    const entries = await chooseEntries(await openSchedules(session), { all: true });
    const leader = (await readLeader(broker.state))?.name ?? null;
    return checkBeat({ entries: entries.map(toChecked), leader, now: session.clock.now() });
  });
  const queues = await orSkipped('queues', () => checkAllQueues(session, workers));
  return [
    ...[server, ...settings, checkBrokerClock(clock), checkNode(process.version)],
    ...checkWorkers(workers, silent),
    ...beat,
    ...queues,
  ];
}

function toChecked({ name, queue, enabled, nextAt, ahead, error }: ScheduleView): CheckedEntry {
  return { name, queue, enabled, nextAt, isArmed: ahead !== null, error };
}

/** One check that cannot look must not hide the others: a server may forbid a command. */
async function orSkipped(check: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    if ((error as { code?: unknown }).code === 'BROKER_UNAVAILABLE') throw error;
    return [skipped(check, `could not look: ${messageOf(error)}`)];
  }
}

/** The answer was written at some instant between question and receipt: half of that is the error. */
async function readSkew(broker: Broker, { clock }: Session): Promise<number | null> {
  const before = clock.now();
  const at = await broker.checkup.readTime();
  const after = clock.now();
  return at === null ? null : outside(at, before, after);
}

/** How far an instant lies outside a span, ahead of it when positive. */
function outside(at: number, from: number, to: number): number {
  if (at < from) return at - from;
  return at > to ? at - to : 0;
}

async function listWorkers(
  session: Session,
  timeoutMs: number | undefined,
): Promise<{ workers: LiveWorker[]; silent: readonly string[] }> {
  const addressed = timeoutMs === undefined ? {} : { timeoutMs };
  const from = session.clock.now();
  const stats = askWorkers(session, 'stats', addressed).then((replies) => ({ replies, to: session.clock.now() }));
  const [{ replies, to }, registered] = await Promise.all([stats, askWorkers(session, 'registered', addressed)]);
  const workers = [...replies.answers].flatMap(([name, answer]) => {
    if (!answer.ok || !isRecord(answer.value)) return [];
    const { version, node, queues, startedAt, uptimeMs, health } = answer.value as unknown as WorkerStats;
    const skewMs = outside(startedAt + uptimeMs, from, to);
    const problems = health?.ready === false ? health.problems : [];
    return [{ name, version, node, queues, skewMs, problems, tasks: readTasks(registered, name) }];
  });
  return { workers, silent: replies.silent };
}

function readTasks(registered: ControlAnswers, name: string): ReadonlySet<string> | null {
  const answer = registered.answers.get(name);
  if (answer?.ok !== true || !Array.isArray(answer.value)) return null;
  return new Set((answer.value as readonly RegisteredTask[]).map(({ task }) => task));
}

async function checkAllQueues({ broker: open, clock }: Session, workers: readonly LiveWorker[]): Promise<Finding[]> {
  const broker = await open();
  const names = await broker.listQueues();
  const { queues: leftovers, isWhole } = await broker.checkup.listLeftovers(names);
  const now = clock.now();
  const queues: CheckedQueue[] = [];
  for (const each of leftovers) queues.push(await readQueue(broker, each, { workers, now }));
  const knownTasks = new Set(workers.flatMap(({ tasks }) => [...(tasks ?? [])]));
  return checkQueues({ queues, now, knownTasks, isWhole });
}

async function readQueue(
  broker: Broker,
  leftovers: QueueLeftovers,
  { workers, now }: { readonly workers: readonly LiveWorker[]; readonly now: number },
): Promise<CheckedQueue> {
  const { queue } = leftovers;
  const serving = workers.filter(({ queues }) => queues.includes(queue));
  const status = await broker.queue(queue).status(now);
  const { waiting, paused, consumers, oldestWaitingMs } = status;
  return {
    ...{ queue, waiting, paused, consumers, oldestWaitingMs, leftovers },
    servedBy: serving.map(({ name }) => name),
    unregistered: waiting === 0 ? [] : await listUnregistered(broker, queue, serving),
    lost: status.active === 0 ? [] : await listLost(broker, queue),
  };
}

/** A worker of plain BullMQ takes jobs of any name, and one of tq may not have said its tasks: then nobody can tell. */
async function listUnregistered(broker: Broker, queue: string, serving: readonly LiveWorker[]): Promise<string[]> {
  if (serving.length === 0 || serving.some(({ tasks }) => tasks === null)) return [];
  const known = new Set(serving.flatMap(({ tasks }) => [...(tasks ?? [])]));
  const found = new Set<string>();
  let looked = 0;
  for await (const page of broker.queue(queue).bulk.scanSummaries({ places: ['waiting'] })) {
    for (const { task } of page) if (!known.has(task) && !isOwnTask(task)) found.add(task);
    looked += page.length;
    if (looked >= SAMPLED) break;
  }
  return [...found];
}

/** A worker may have ended one, or renewed its lock a moment late, since it was read: what is lost is so twice. */
async function listLost(broker: Broker, queue: string): Promise<string[]> {
  const read = async () => {
    const active = await broker.queue(queue).listActive(0, ACTIVE_LOOKED_AT);
    return active.filter(({ lockLeftMs }) => lockLeftMs === null).map(({ id }) => id);
  };
  const first = await read();
  if (first.length === 0) return [];
  const second = new Set(await read());
  return first.filter((id) => second.has(id));
}
