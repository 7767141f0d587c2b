import { type BuiltinEnvironment, type BuiltinOptions, parseBuiltinOptions } from '../../tasks/builtin-options.ts';
import { builtinTasks } from '../../tasks/builtin-tasks.ts';
import { describeEmail } from '../../tasks/email/delivery.ts';

import { type HealthLimits, parseHealthLimits } from '../../tasks/health/limits.ts';

import type { Beat } from '../beat/beat.ts';

import { openBroker } from '../broker/open-broker.ts';
import type { Broker, BrokerQueue } from '../broker/port.ts';
import type { ResultRow, ResultStore } from '../broker/result-store/result-port.ts';
import { listFollowing } from '../canvas/lineage.ts';
import { createLiveWorkflow, readGroupName } from '../canvas/live-workflow.ts';
import { type AnySignature, createStep, type SendOptions, type StepSignature } from '../canvas/signature.ts';
import type { SignatureOptions } from '../canvas/signature-options.ts';
import { readEnvironment } from '../config/environment.ts';
import { readProjectBroker } from '../config/project-broker.ts';
import type { AlertRule } from '../core/alert-rule.ts';
import { APP_BRAND } from '../core/brand.ts';
import { isChild } from '../core/child-mark.ts';
import type { Clock } from '../core/clock.ts';
import { createError } from '../core/errors.ts';
import type { HealthReport } from '../core/health/report.ts';
import type { NewJob, StoredJob } from '../core/job.ts';
import { nearestNames } from '../core/nearest.ts';
import type { JobExplanation } from '../core/why/reason.ts';
import type { WorkflowGraph } from '../core/workflow/graph.ts';
import type { Event } from '../events/event.ts';
import type { Hooks } from '../events/hooks.ts';
import type { AsyncResult, GroupResult, RevokeJob, WorkflowResult } from '../results/async-result.ts';
import { createJobResult } from '../results/job-result.ts';
import { type HistoryOptions, readHistory } from '../results/result-history.ts';
import { systemClock } from '../runtime/system-clock.ts';
import type { DeclaredEntry } from '../schedule/declared-entry.ts';
import type { EntryOptions } from '../schedule/entry-options.ts';
import { hasSchema, parseArguments } from '../task/arguments.ts';
import { assertTaskName, defineTask, type TaskDefinition } from '../task/definition.ts';
import type { Worker } from '../worker/worker.ts';
import { AppAlerts } from './app-alerts.ts';
import { type AppControl, type AppInspect, createAppControl, createAppInspect } from './app-control.ts';
import { type EventOptions, openEvents } from './app-events.ts';
import { checkAppHealth, type HealthAsk } from './app-health.ts';
import { AppResultStore } from './app-results.ts';
import { AppEntries, type AppSchedules } from './app-schedules.ts';
import { type AppSettings, longestResultSeconds, parseAppOptions } from './app-settings.ts';
import { explainById, type WhyOptions } from './app-why.ts';
import { createJob, NO_OPTIONS } from './call.ts';
import type { CallOptions } from './call-options.ts';
import type { App, AppOptions, WorkerOptions } from './contract.ts';
import { type BeatOptions, createAppBeat } from './create-app-beat.ts';
import { createAppWorker } from './create-app-worker.ts';
import { createHealthSource } from './health-source.ts';
import { MadeWorkers } from './made-workers.ts';
import { revokeAll } from './revoke-all.ts';
import { compileHere, type SignatureParts, sendSignature } from './send-signature.ts';
import { createTask, type DefineTask, type Task } from './task.ts';

/** Jobs of one round trip in `sendBulk`. */
const BATCH = 1000;

/** What a test may replace. */
export interface AppParts {
  readonly clock?: Clock;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly openBroker?: typeof openBroker;
  /** Where the search for the project's config file begins; default the working directory at the first use. */
  readonly cwd?: string;
}

/**
 * Creates an app: the registry of tasks, the queues that they use and the connection to the broker. Nothing is connected
 * until the first call.
 *
 * @throws INVALID_CONFIG that names every mistake of the options at once
 */
export function createApp(options: AppOptions = {}, parts: AppParts = {}): App {
  return new TaskApp(parseAppOptions(options), parts);
}

class TaskApp implements App {
  readonly [APP_BRAND] = true as const;
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  readonly queues: readonly string[];
  readonly notes: readonly string[];
  readonly hooks: Hooks;
  readonly task: DefineTask;
  readonly inspect: AppInspect;
  readonly control: AppControl;
  readonly #openBrokerOnce = (): Promise<Broker> => this.broker();
  readonly #openResultsOnce = (): Promise<ResultStore | undefined> => this.resultStore();
  readonly #revoke: RevokeJob = async (id, options) => {
    const broker = await this.broker();
    const { jobs } = await revokeAll(
      { broker, clock: this.#clock },
      { ...options, ids: [id], likelyQueues: this.queues },
    );
    const job = jobs.find((one) => one.id === id) ?? jobs[0];
    if (job === undefined) throw createError('UNKNOWN_JOB', { id });
    return job;
  };
  readonly #settings: AppSettings;
  readonly #clock: Clock;
  readonly #openBroker: typeof openBroker;
  readonly #cwd: string | undefined;
  readonly #registry = new Map<string, TaskDefinition>();
  readonly #builtins = new Set<string>();
  readonly #healthLimits: HealthLimits;
  #brokerUrl: string | undefined;
  #broker: Promise<Broker> | undefined;
  /** The broker once it is open, so that a call need not wait for what is there. */
  #opened: Broker | undefined;
  readonly #workers = new MadeWorkers();
  readonly #results: AppResultStore;
  readonly #alerts: AppAlerts;
  readonly #entries: AppEntries;
  #closed = false;

  constructor(settings: AppSettings, parts: AppParts) {
    const { clock = systemClock, env, openBroker: open = openBroker, cwd } = parts;
    const environment = readEnvironment(env);
    const redis = environment.redis?.mistakes.length === 0 ? environment.redis.value : undefined;
    const fromEnvironment = environment.settings.get('broker')?.value ?? redis;
    this.#settings = settings;
    this.#clock = clock;
    this.#openBroker = open;
    this.#cwd = cwd;
    this.#brokerUrl = typeof fromEnvironment === 'string' ? fromEnvironment : settings.broker;
    const resultsUrl = environment.settings.get('results')?.value ?? settings.results.url;
    this.#results = new AppResultStore({ url: resultsUrl as string | undefined, clock, cwd });
    this.tasks = this.#registry;
    this.queues = settings.queues.map(({ name }) => name);
    this.hooks = settings.hooks;
    this.task = ((name: string, ...rest: [never, never]) => this.register(defineTask(name, ...rest))) as DefineTask;
    const asking = { openBroker: this.#openBrokerOnce, clock, queues: this.queues };
    this.inspect = createAppInspect(asking);
    this.control = createAppControl(asking);
    const { facts, checkPriority } = this.#signatureParts;
    this.#entries = new AppEntries({
      ...{ clock, facts: { ...facts, timezone: settings.timezone }, tasks: this.#registry, checkPriority },
      app: settings.name ?? null,
      openBroker: this.#openBrokerOnce,
      resultOf: (id, queue) => this.result(id, queue),
    });
    const surroundings = this.#surroundingsOf(environment);
    const builtins = parseBuiltinOptions(settings.builtins === false ? {} : settings.builtins);
    this.#healthLimits = parseHealthLimits(builtins.health);
    this.#alerts = new AppAlerts({ rules: settings.alerts, cwd, email: builtins.email ?? {}, surroundings });
    this.notes = settings.builtins === false ? [] : [this.#registerBuiltins(builtins, surroundings)];
  }

  schedule(entries: Readonly<Record<string, EntryOptions>>): void {
    this.#entries.declare(entries);
  }

  get declaredEntries(): readonly DeclaredEntry[] {
    return this.#entries.declared;
  }

  get schedules(): AppSchedules {
    return this.#entries.operations;
  }

  get brokerUrl(): string | undefined {
    return this.#brokerUrl;
  }

  register<Args extends readonly unknown[], Result>(
    definition: TaskDefinition<Args, Result>,
    { override = false }: { override?: boolean } = {},
  ): Task<Args, Result> {
    const { name } = definition;
    // A task of the application goes before a built-in one of the same name, without a word: it was written later.
    if (this.#registry.has(name) && !override && !this.#builtins.has(name)) {
      throw createError('DUPLICATE_TASK', { task: name });
    }
    const queue = definition.queue;
    if (queue !== undefined) this.#assertDeclared(queue);
    const inherits = definition.retryIsDefault ? { retry: this.#settings.retry } : {};
    const registered: TaskDefinition<Args, Result> = { ...definition, ...inherits };
    this.#registry.set(name, registered as unknown as TaskDefinition);
    this.#builtins.delete(name);
    return createTask(this, registered);
  }

  queueOf(task: string): string {
    const ownQueue = this.#registry.get(task)?.queue;
    return ownQueue ?? this.#settings.routes.find(({ matches }) => matches(task))?.queue ?? this.#settings.defaultQueue;
  }

  async send<Result>(
    task: string,
    args: readonly unknown[] = [],
    options: CallOptions = NO_OPTIONS,
  ): Promise<AsyncResult<Result>> {
    const [prepared] = await this.#prepare(task, [args], options);
    const { queue, job } = prepared as Prepared;
    const id = await queue.add(job);
    return this.#resultOf<Result>(job, queue.name, id);
  }

  async sendBulk<Result>(
    task: string,
    argsList: readonly (readonly unknown[])[],
    options: Omit<CallOptions, 'id'> = NO_OPTIONS,
  ): Promise<AsyncResult<Result>[]> {
    if ('id' in options) {
      const what = `id of a bulk call of task "${task}"`;
      throw createError('INVALID_OPTION', { what, expected: 'left out, each job gets its own', given: 'one for all' });
    }
    const prepared = await this.#prepare(task, argsList, options);
    const results: AsyncResult<Result>[] = [];
    for (let from = 0; from < prepared.length; from += BATCH) {
      const batch = prepared.slice(from, from + BATCH);
      const ids = await batch[0]?.queue.addBulk(batch.map(({ job }) => job));
      for (const [index, { job, queue }] of batch.entries()) {
        results.push(this.#resultOf<Result>(job, queue.name, ids?.[index]));
      }
    }
    return results;
  }

  signature<Result>(
    task: string,
    args: readonly unknown[] = [],
    { immutable = false, ...options }: SignatureOptions & { immutable?: boolean } = {},
  ): StepSignature<unknown, Result> {
    return createStep<unknown, Result>(this, { task, args, immutable, options });
  }

  sendSignature(
    signature: AnySignature,
    options: SendOptions = {},
    input?: { readonly value: unknown },
  ): Promise<AsyncResult<unknown>> {
    return sendSignature(this.#signatureParts, signature, { options, input });
  }

  compileHere(signature: { toJSON(): unknown }): WorkflowGraph {
    return compileHere(this.#signatureParts, signature);
  }

  result<Result>(id: string, queue?: string): AsyncResult<Result> {
    return createJobResult<Result>(id, { ...this.#resultParts, queue, likelyQueues: this.queues });
  }

  workflow<Result>(id: string): WorkflowResult<Result> {
    return this.#workflowOf(id) as WorkflowResult as WorkflowResult<Result>;
  }

  async restoreGroup<Results extends readonly unknown[]>(saved: string): Promise<GroupResult<Results>> {
    return this.#workflowOf<Results>(await readGroupName(await this.broker(), saved));
  }

  #workflowOf<Results extends readonly unknown[]>(id: string): GroupResult<Results> {
    return createLiveWorkflow<Results>(id, {
      openBroker: this.#openBrokerOnce,
      now: () => this.#clock.now(),
      resultOf: (job, queue) => this.result(job, queue),
      cancel: async (workflow, options) => {
        const place = { broker: await this.broker(), clock: this.#clock };
        return (await revokeAll(place, { ...options, ids: [workflow], likelyQueues: this.queues })).jobs;
      },
    });
  }

  /** What every result needs. */
  get #resultParts() {
    return {
      openBroker: this.#openBrokerOnce,
      openResults: this.#openResultsOnce,
      revoke: this.#revoke,
      lineage: {
        listFollowing: async (job: StoredJob) => listFollowing(await this.broker(), job),
        workflowOf: (id: string) => this.workflow(id),
        groupOf: (id: string) => this.#workflowOf(id),
      },
    };
  }

  createWorker(options: WorkerOptions = {}): Promise<Worker> {
    return this.#workers.add(this.#createWorker(options));
  }

  createBeat(options: BeatOptions = {}): Promise<Beat> {
    return createAppBeat({ app: this, clock: this.#clock }, options);
  }

  async #createWorker(options: WorkerOptions): Promise<Worker> {
    if (isChild()) throw createError('WORKER_IN_CHILD', {});
    // Both at once: an app that is closed meanwhile waits for what is being made.
    const [broker, resultStore, alerts] = await Promise.all([this.broker(), this.resultStore(), this.#alerts.read()]);
    for (const { name, priorities } of this.#settings.queues) {
      if (priorities && !(await broker.queue(name).hasPriorities())) await broker.queue(name).enablePriorities();
    }
    const { tasks, ownTasks, brokerUrl, resultsUrl } = this;
    const compile = (signature: { toJSON(): unknown }): WorkflowGraph => this.compileHere(signature);
    const connected = { broker, brokerUrl, resultStore, resultsUrl };
    const of = { app: this.#settings, tasks, ownTasks, alerts, ...connected, clock: this.#clock, compile };
    return createAppWorker(of, options);
  }

  why(id: string, options?: WhyOptions): Promise<JobExplanation> {
    const parts = {
      clock: this.#clock,
      openBroker: this.#openBrokerOnce,
      resultOf: (job: string, queue?: string) => this.result(job, queue),
      hasResults: async () => (await this.resultStore()) !== undefined,
    };
    return explainById(parts, id, options);
  }

  health(options: HealthAsk = {}): Promise<HealthReport> {
    const parts = { openBroker: this.#openBrokerOnce, clock: this.#clock, limits: this.#healthLimits };
    return checkAppHealth(parts, options);
  }

  events(options: EventOptions = {}): AsyncGenerator<Event, void, void> {
    return openEvents(this.#openBrokerOnce, this.#clock, options);
  }

  async broker(): Promise<Broker> {
    if (this.#closed) throw createError('ALREADY_CLOSED', { what: 'the app' });
    this.#broker ??= this.#connect().catch((error) => {
      this.#broker = undefined;
      throw error;
    });
    return this.#broker;
  }

  useBroker(url: string): void {
    if (this.#broker !== undefined) {
      throw createError('INVALID_OPTION', {
        what: 'the broker',
        expected: 'set before its first use',
        given: 'a change',
      });
    }
    this.#brokerUrl = url;
  }

  get ownTasks(): ReadonlyMap<string, TaskDefinition> {
    return this.#alerts.tasks;
  }

  useAlerts(rules: readonly AlertRule[]): void {
    this.#alerts.use(rules);
  }

  get resultsUrl(): string | undefined {
    return this.#results.url;
  }

  async resultStore(): Promise<ResultStore | undefined> {
    if (this.#closed) throw createError('ALREADY_CLOSED', { what: 'the app' });
    return await this.#results.open();
  }

  useResults(url: string): void {
    this.#results.use(url);
  }

  results(options: HistoryOptions = {}): AsyncGenerator<ResultRow, void, void> {
    const open = async (): Promise<ResultStore> => {
      const store = await this.resultStore();
      if (store === undefined) throw createError('RESULTS_OFF', { doing: 'reading the history of results' });
      return store;
    };
    return readHistory(open, this.#clock, options);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#opened = undefined;
    await this.#workers.giveUp();
    const broker = await this.#broker?.catch(() => undefined);
    await broker?.close();
    await this.#results.close();
  }

  async #connect(): Promise<Broker> {
    this.#brokerUrl ??= await readProjectBroker(this.#cwd ?? process.cwd());
    return await this.#openBroker(this.#brokerUrl, { clock: this.#clock });
  }

  get #signatureParts(): SignatureParts {
    return {
      clock: this.#clock,
      facts: {
        resolve: (task) => ({ queue: this.queueOf(task), definition: this.#registry.get(task) }),
        assertQueue: (queue) => this.#assertDeclared(queue),
        payloadLimit: this.#settings.payloadLimit,
        longestResultMs: () => longestResultSeconds(this.#settings, this.tasks) * 1000,
      },
      broker: this.#openBrokerOnce,
      checkPriority: async (queue, wish) => this.#priorityOf((await this.broker()).queue(queue), wish),
      send: (task, args, options) => this.send(task, args, options),
      result: ({ id, task, queue }) => createJobResult(id, { ...this.#resultParts, task, queue }),
    };
  }

  async #prepare(task: string, argsList: readonly (readonly unknown[])[], options: CallOptions): Promise<Prepared[]> {
    const definition = this.#registry.get(task);
    if (definition === undefined) assertTaskName(task);
    const queueName = options.queue ?? this.queueOf(task);
    this.#assertDeclared(queueName);
    if (definition !== undefined && hasSchema(definition)) {
      for (const args of argsList) await parseArguments(definition, args, 'calling');
    }
    const wasConnected = this.#broker !== undefined;
    let jobs = this.#createJobs(task, argsList, options);
    this.#opened ??= await this.broker();
    const broker = this.#opened;
    const queue = broker.queue(queueName);
    const priority = await this.#priorityOf(queue, { task, wanted: options.priority ?? definition?.priority });
    // Mistakes are found before anything is connected; but the first contact takes time, which is none of the job's.
    if (!wasConnected) jobs = this.#createJobs(task, argsList, options);
    return jobs.map((job) => ({ queue, job: priority === undefined ? job : { ...job, priority } }));
  }

  #createJobs(task: string, argsList: readonly (readonly unknown[])[], options: CallOptions): NewJob[] {
    const definition = this.#registry.get(task);
    const now = this.#clock.now();
    const { payloadLimit } = this.#settings;
    const longestResultMs = (): number => longestResultSeconds(this.#settings, this.tasks) * 1000;
    return argsList.map((args) => createJob({ task, definition, args, options, now, payloadLimit, longestResultMs }));
  }

  /** On a queue with priorities every job has one, 0 without a wish; on any other none can be asked for. */
  async #priorityOf(
    queue: BrokerQueue,
    { task, wanted }: { task: string; wanted: number | undefined },
  ): Promise<number | undefined> {
    const declared = this.#settings.queues.find(({ name }) => name === queue.name)?.priorities === true;
    if (await queue.hasPriorities()) return wanted ?? 0;
    if (declared) {
      await queue.enablePriorities();
      return wanted ?? 0;
    }
    if (wanted === undefined) return undefined;
    if (await queue.hasPriorities(true)) return wanted;
    throw createError('PRIORITIES_OFF', { queue: queue.name, task });
  }

  /** @param stored the id that the store gave: that of another job when a unique key was held */
  #resultOf<Result>({ id, task }: NewJob, queue: string, stored = id): AsyncResult<Result> {
    return createJobResult<Result>(stored, {
      ...this.#resultParts,
      task,
      queue,
      ...(stored !== id && { isDuplicate: true }),
    });
  }

  #assertDeclared(queue: string): void {
    if (!this.#settings.queuesAreClosed || this.queues.includes(queue)) return;
    throw createError('UNDECLARED_QUEUE', { queue, near: nearestNames(queue, this.queues), declared: this.queues });
  }

  #surroundingsOf({ smtpUrl, emailFrom, nodeEnv }: ReturnType<typeof readEnvironment>): BuiltinEnvironment {
    const production = nodeEnv === 'production';
    const health = createHealthSource(this.#openBrokerOnce, this.#clock);
    return { smtpUrl, emailFrom, production, cwd: process.cwd(), now: () => this.#clock.now(), health };
  }

  /** @returns how e-mail is delivered, for people */
  #registerBuiltins(options: BuiltinOptions, surroundings: BuiltinEnvironment): string {
    for (const definition of Object.values(builtinTasks(options, surroundings)) as unknown as TaskDefinition[]) {
      this.#registry.set(definition.name, definition);
      this.#builtins.add(definition.name);
    }
    return describeEmail(options, surroundings);
  }
}

interface Prepared {
  readonly queue: BrokerQueue;
  readonly job: NewJob;
}
