import { once } from 'node:events';
import type { BrokerCheckup } from '../../src/engine/broker/checkup-port.ts';
import type {
  ControlAnswer,
  ControlAnswers,
  ControlBus,
  ControlNode,
  ControlQuestion,
} from '../../src/engine/broker/control-port.ts';
import type { JobEventFeed, JobEvents, ListenOptions, LogEntry } from '../../src/engine/broker/event-port.ts';
import type {
  ActiveStoredJob,
  Broker,
  BrokerQueue,
  FlowJob,
  JobBrief,
  Migration,
  QueueCounts,
} from '../../src/engine/broker/port.ts';
import type { Finding } from '../../src/engine/core/checkup/finding.ts';
import type { QueueLeftovers, RemovedLeftovers } from '../../src/engine/core/checkup/leftovers.ts';
import { createError, type TqError } from '../../src/engine/core/errors.ts';
import { fingerprintOf } from '../../src/engine/core/fingerprint.ts';
import type { JobChildren, JobSummary, NewJob, StoredJob } from '../../src/engine/core/job.ts';
import type { JobRecord } from '../../src/engine/core/job-record.ts';
import type { JobStanding } from '../../src/engine/core/job-standing.ts';
import type { Revocation } from '../../src/engine/core/revocation.ts';
import { isFinished } from '../../src/engine/core/state.ts';
import { FakeSchedules } from '../engine/broker/fake-schedules.ts';
import { createFakeState } from '../engine/broker/fake-state.ts';
import { FakeBulk } from './fake-bulk.ts';

/** A broker in memory, for what the operations and the CLI ask of one. It runs nothing, and fails when it is told to. */
export class FakeBroker implements Broker {
  readonly kind: Broker['kind'];
  readonly url = 'redis://***@localhost:6379/0';
  readonly queues = new Map<string, FakeQueue>();
  migration: Migration = { from: null, to: null };
  /** Every use of the broker throws this. */
  failure: TqError | undefined;
  /** What was asked of it that changes something, in order. */
  readonly changes: string[] = [];
  closed = false;

  constructor(kind: Broker['kind'] = 'redis') {
    this.kind = kind;
  }

  /** The broker is gone, as it is when a server was stopped. */
  break(): this {
    this.failure = createError('BROKER_UNAVAILABLE', {
      url: this.url,
      doing: 'connecting',
      reason: 'connect ECONNREFUSED 127.0.0.1:6379',
      causes: 'start the server, or check the host and the port',
    });
    return this;
  }

  assertUp(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  /** Stores jobs in a queue, making it if it is not there. */
  store(queue: string, ...jobs: readonly Partial<StoredJob>[]): this {
    const target = this.queue(queue);
    this.queues.set(queue, target);
    for (const job of jobs) target.put(createStoredJob({ queue, ...job }));
    return this;
  }

  queue(name: string): FakeQueue {
    return this.queues.get(name) ?? new FakeQueue(name, this);
  }

  async addFlow(jobs: readonly FlowJob[]): Promise<void> {
    for (const { queue, job, hasChildren } of jobs) {
      const target = this.queue(queue);
      await target.add(job);
      if (hasChildren) target.put({ ...(target.jobs.get(job.id) as StoredJob), state: 'BLOCKED' });
    }
  }

  async listQueues(): Promise<string[]> {
    this.assertUp();
    return [...this.queues.keys()].sort();
  }

  readonly state = createFakeState();

  readonly control = new FakeControlBus(this);
  readonly events = new FakeJobEvents(this);

  readonly checkup = new FakeCheckup(this);

  createConsumer(): never {
    throw new Error('the double runs nothing');
  }

  async migrate(): Promise<Migration> {
    this.assertUp();
    this.changes.push('migrate');
    return this.migration;
  }

  async describe(): Promise<string> {
    return 'a double';
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** Workers that answer what the test says. One without a reply for a command is silent. */
class FakeControlBus implements ControlBus {
  readonly #broker: FakeBroker;
  readonly #workers: { readonly node: ControlNode; readonly replies: Readonly<Record<string, unknown>> }[] = [];
  /** What was asked, in order. */
  readonly questions: ControlQuestion[] = [];

  constructor(broker: FakeBroker) {
    this.#broker = broker;
  }

  /** @param replies by command; an Error is an answer that says what went wrong */
  add(name: string, replies: Readonly<Record<string, unknown>>): void {
    const node = { id: `worker-${name}`, name, host: 'box', pid: 100 + this.#workers.length, since: NOW - 3_600_000 };
    this.#workers.push({ node, replies });
  }

  async listNodes(): Promise<ControlNode[]> {
    this.#broker.assertUp();
    return this.#workers.map(({ node }) => node);
  }

  async ask(question: ControlQuestion): Promise<ControlAnswers> {
    this.#broker.assertUp();
    this.questions.push(question);
    const { command, destinations } = question;
    const names = destinations ?? this.#workers.map(({ node }) => node.name);
    const answers = new Map<string, ControlAnswer>();
    for (const { node, replies } of this.#workers) {
      const reply = replies[command];
      if (reply === undefined || !names.includes(node.name)) continue;
      const error = { code: 'INTERNAL', message: reply instanceof Error ? reply.message : '' };
      answers.set(node.name, reply instanceof Error ? { ok: false, error } : { ok: true, value: reply });
    }
    return { answers, silent: names.filter((name) => !answers.has(name)).sort() };
  }

  async join(): Promise<never> {
    throw new Error('the double has no place for workers of its own');
  }
}

/** Finds what the test says, and removes it. */
class FakeCheckup implements BrokerCheckup {
  readonly #broker: FakeBroker;
  settings: Finding[] | Error = [];
  /** The clock of the server; null for that of this machine. */
  time: number | null = null;
  readonly leftovers = new Map<string, Partial<QueueLeftovers>>();
  isWhole = true;

  constructor(broker: FakeBroker) {
    this.#broker = broker;
  }

  async checkSettings(): Promise<Finding[]> {
    this.#broker.assertUp();
    if (this.settings instanceof Error) throw this.settings;
    return this.settings;
  }

  async readTime(): Promise<number | null> {
    return this.time;
  }

  async listLeftovers(queues: readonly string[]) {
    this.#broker.assertUp();
    const nothing = { strayKeys: [], orphans: [], events: { length: 0, bound: 10_000 }, schedules: [] };
    const found = queues.map((queue) => ({ queue, ...nothing, ...this.leftovers.get(queue) }));
    return { queues: found, isWhole: this.isWhole };
  }

  async removeLeftovers(leftovers: readonly QueueLeftovers[]): Promise<RemovedLeftovers> {
    const removed = { keys: 0, orphans: 0, events: 0 };
    for (const { queue, strayKeys, orphans } of leftovers) {
      this.#broker.changes.push(`tidy ${queue}`);
      this.leftovers.delete(queue);
      removed.keys += strayKeys.length;
      removed.orphans += orphans?.length ?? 0;
    }
    return removed;
  }
}

/** Gives the entries that the test has put into it, and then waits for the end. */
class FakeJobEvents implements JobEvents {
  readonly #broker: FakeBroker;
  readonly entries: LogEntry[] = [];
  /** What was asked for, in order. */
  readonly asked: ListenOptions[] = [];
  /** Is called when the reader has taken all entries, and asks for more. */
  onTold: () => void = () => {};

  constructor(broker: FakeBroker) {
    this.#broker = broker;
  }

  listen(options: ListenOptions): JobEventFeed {
    this.asked.push(options);
    const { entries, onTold } = this;
    const broker = this.#broker;
    return {
      async *[Symbol.asyncIterator]() {
        broker.assertUp();
        options.onListening?.();
        if (entries.length > 0) yield entries;
        onTold();
        if (!options.signal.aborted) await once(options.signal, 'abort');
      },
      readFacts: async () => new Map(),
    };
  }
}

export class FakeQueue implements BrokerQueue {
  readonly name: string;
  readonly bulk: FakeBulk;
  readonly schedules: FakeSchedules;
  readonly jobs = new Map<string, StoredJob>();
  readonly logs = new Map<string, string[]>();
  /** What the records of jobs say that the jobs do not: parents, schedule entries. */
  readonly records = new Map<string, Partial<JobRecord>>();
  /** Where revoked jobs lie. */
  readonly #phases = new Map<string, JobBrief['phase']>();
  /** Of active jobs. */
  readonly lockLeftMs = new Map<string, number>();
  /** Of jobs that have some. */
  readonly children = new Map<string, JobChildren>();
  paused = false;
  consumers = 0;
  readonly #broker: FakeBroker;
  readonly #waiting: (() => void)[] = [];

  constructor(name: string, broker: FakeBroker) {
    this.name = name;
    this.#broker = broker;
    this.bulk = new FakeBulk(this, broker);
    this.schedules = new FakeSchedules(() => broker.assertUp());
  }

  put(job: StoredJob): void {
    this.jobs.set(job.id, job);
    for (const look of this.#waiting) look();
  }

  async add(job: NewJob): Promise<string> {
    this.#broker.assertUp();
    this.#broker.queues.set(this.name, this);
    if (this.jobs.has(job.id)) return job.id;
    const holder = [...this.jobs.values()].find(({ unique }) => unique !== null && unique === job.unique?.key);
    if (holder !== undefined) return holder.id;
    this.#broker.changes.push(`add ${job.task} to ${this.name}`);
    const { id, task, args, meta, createdAt, delayMs } = job;
    this.put(
      createStoredJob({
        ...{
          id,
          task,
          args,
          meta,
          createdAt,
          queue: this.name,
          priority: job.priority ?? null,
          unique: job.unique?.key ?? null,
        },
        ...(delayMs !== undefined && { state: 'SCHEDULED', dueAt: createdAt + delayMs }),
      }),
    );
    return job.id;
  }

  async addBulk(jobs: readonly NewJob[]): Promise<string[]> {
    const ids: string[] = [];
    for (const job of jobs) ids.push(await this.add(job));
    return ids;
  }

  async hasPriorities(): Promise<boolean> {
    return false;
  }

  async enablePriorities(): Promise<void> {}

  async readJob(id: string): Promise<StoredJob | undefined> {
    this.#broker.assertUp();
    return this.jobs.get(id);
  }

  async readLog(id: string): Promise<string[]> {
    return this.logs.get(id) ?? [];
  }

  /** The clock of the double stands still: a wait with a limit has passed at once, one without ends with the job. */
  async waitUntilFinished(id: string, timeoutMs?: number): Promise<boolean> {
    this.#broker.assertUp();
    const isDone = (): boolean => isFinished(this.jobs.get(id)?.state ?? 'UNKNOWN');
    if (isDone() || timeoutMs !== undefined) return isDone();
    return await new Promise((resolve) => {
      this.#waiting.push(() => isDone() && resolve(true));
    });
  }

  async removeJob(id: string): Promise<boolean> {
    return this.jobs.delete(id);
  }

  async readChildren(id: string): Promise<JobChildren> {
    this.#broker.assertUp();
    return this.children.get(id) ?? { pending: 0, ended: new Map(), dead: new Map() };
  }

  async reprocess(id: string): Promise<boolean> {
    this.#broker.assertUp();
    const job = this.jobs.get(id);
    if (job === undefined || !isFinished(job.state) || this.#phases.has(id)) return false;
    this.#broker.changes.push(`reprocess ${id} of ${this.name}`);
    const { revoked: _, ...rest } = job;
    const fresh = { attempts: 0, workersLost: 0, startedAt: null, finishedAt: null, result: null, error: null };
    this.put({ ...rest, ...fresh, reason: null, state: 'PENDING' });
    return true;
  }

  async listBriefs(ids: readonly string[]): Promise<JobBrief[]> {
    this.#broker.assertUp();
    return ids.flatMap((id) => {
      const job = this.jobs.get(id);
      if (job === undefined) return [];
      const { task, queue, state, attempts, worker, revoked } = job;
      const phase = this.#phases.get(id) ?? PHASES[state] ?? 'finished';
      return [{ id, task, queue, phase, attempts, worker, revoked }];
    });
  }

  async listSummaries(ids: readonly string[]): Promise<JobSummary[]> {
    this.#broker.assertUp();
    return ids.flatMap((id) => {
      const job = this.jobs.get(id);
      if (job === undefined) return [];
      const { task, queue, state, attempts, worker, createdAt, dueAt, startedAt, finishedAt, progress, reason } = job;
      const error = job.error === null ? null : { ...job.error, stack: null };
      const fingerprint = job.error === null ? null : fingerprintOf(job.error);
      const times = { createdAt, dueAt, startedAt, finishedAt };
      const ended = { error, fingerprint, reason, revoked: job.revoked };
      return [{ id, task, queue, state, attempts, worker, ...times, progress, ...ended }];
    });
  }

  async revoke(ids: readonly string[], revocation: Revocation): Promise<JobBrief[]> {
    this.#broker.changes.push(`revoke ${ids.length} of ${this.name}`);
    for (const { id, phase, revoked } of await this.listBriefs(ids)) {
      const job = this.jobs.get(id);
      if (job === undefined || phase === 'finished' || revoked !== undefined) continue;
      if (phase !== 'active') this.#phases.set(id, phase);
      this.put({ ...job, revoked: revocation, ...(phase !== 'active' && { state: 'REVOKED' }) });
    }
    return await this.listBriefs(ids);
  }

  async isHeldBack(): Promise<boolean> {
    return this.paused;
  }

  async hasWork(): Promise<boolean> {
    return (await this.counts()).waiting > 0;
  }

  async counts(): Promise<QueueCounts> {
    this.#broker.assertUp();
    const count = (...states: string[]): number => this.#list(...states).length;
    return {
      waiting: count('PENDING'),
      active: count('STARTED'),
      scheduled: count('SCHEDULED', 'RETRY'),
      blocked: count('BLOCKED'),
      dead: count('FAILURE'),
      completed: count('SUCCESS', 'REVOKED', 'IGNORED'),
    };
  }

  async status(now: number) {
    const oldest = Math.min(...this.#list('PENDING').map(({ createdAt }) => createdAt));
    return {
      queue: this.name,
      ...(await this.counts()),
      paused: this.paused,
      consumers: this.consumers,
      oldestWaitingMs: Number.isFinite(oldest) ? now - oldest : null,
    };
  }

  /** What the test says of a job beside that. */
  readonly standings = new Map<string, Partial<JobStanding>>();

  async readStanding(id: string, now: number): Promise<JobStanding> {
    const { paused, waiting, active, consumers } = await this.status(now);
    const queue = { paused, waiting, active, consumers, concurrency: null, limitedForMs: 0, windowMs: 0 };
    const lockLeftMs = this.lockLeftMs.get(id) ?? null;
    return { queue, before: null, lockLeftMs, pending: 0, pendingChildren: [], ...this.standings.get(id) };
  }

  async listScheduled(offset: number, limit: number): Promise<StoredJob[]> {
    this.#broker.assertUp();
    const due = this.#list('SCHEDULED', 'RETRY').sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0));
    return due.slice(offset, offset + limit);
  }

  async listActive(offset: number, limit: number): Promise<ActiveStoredJob[]> {
    this.#broker.assertUp();
    const active = this.#list('STARTED').slice(offset, offset + limit);
    return active.map((job) => ({ ...job, lockLeftMs: this.lockLeftMs.get(job.id) ?? null }));
  }

  async purge(onProgress?: (removed: number) => void): Promise<number> {
    this.#broker.assertUp();
    this.#broker.changes.push(`purge ${this.name}`);
    const gone = this.#list('PENDING', 'SCHEDULED', 'RETRY');
    for (const [index, { id }] of gone.entries()) {
      this.jobs.delete(id);
      onProgress?.(index + 1);
    }
    return gone.length;
  }

  async pause(): Promise<void> {
    this.#broker.assertUp();
    this.#broker.changes.push(`pause ${this.name}`);
    this.paused = true;
  }

  async resume(): Promise<void> {
    this.#broker.assertUp();
    this.#broker.changes.push(`resume ${this.name}`);
    this.paused = false;
  }

  async promoteToHead(ids: readonly string[]): Promise<string[]> {
    this.#broker.assertUp();
    const held = ids.filter((id) => ['SCHEDULED', 'RETRY'].includes(this.jobs.get(id)?.state ?? ''));
    this.#broker.changes.push(`let go ${held.join(', ')} of ${this.name}`);
    for (const id of held) this.put({ ...(this.jobs.get(id) as StoredJob), state: 'PENDING', dueAt: null });
    return held;
  }

  #list(...states: readonly string[]): StoredJob[] {
    return [...this.jobs.values()].filter(({ state }) => states.includes(state));
  }
}

const PHASES: Partial<Record<StoredJob['state'], JobBrief['phase']>> = {
  PENDING: 'waiting',
  SCHEDULED: 'scheduled',
  RETRY: 'scheduled',
  BLOCKED: 'blocked',
  STARTED: 'active',
};

let nextId = 1;

/** A job with everything that the broker keeps; what is not given is as of a job that was just added. */
export function createStoredJob(given: Partial<StoredJob> = {}): StoredJob {
  return {
    id: `job-${nextId++}`,
    task: 'email.send',
    queue: 'default',
    state: 'PENDING',
    args: [],
    meta: {},
    priority: null,
    createdAt: NOW - 60_000,
    dueAt: null,
    startedAt: null,
    finishedAt: null,
    attempts: 0,
    workersLost: 0,
    worker: null,
    progress: null,
    result: null,
    error: null,
    reason: null,
    stacks: [],
    failures: [],
    unique: null,
    unreadable: null,
    ...given,
  };
}

/** The instant at which the clock of these tests stands. */
export const NOW = Date.parse('2031-05-01T12:00:00Z');
