/**
 * The entry file of a child process.
 *
 * 1. It opens the pipe to its parent, waits for `start`, loads the app and runs `processStart`.
 * 2. It runs the jobs that it is handed, one at a time, as any worker would (executor.ts), and says how they ended.
 * 3. It ends when it is told to leave, after `processStop`, and at once when the pipe ends: without its parent nobody holds
 *    the lock of its job, and another worker will run it.
 */
import { writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { loadAppModule } from '../../config/load-app.ts';
import type { AlertRule } from '../../core/alert-rule.ts';
import { markAsChild } from '../../core/child-mark.ts';
import { createError, messageOf, TqError } from '../../core/errors.ts';
import { type StoredError, toStoredError } from '../../core/job.ts';
import type { Hooks } from '../../events/hooks.ts';
import { createLogger } from '../../runtime/logger.ts';
import { systemClock } from '../../runtime/system-clock.ts';
import type { TaskDefinition } from '../../task/definition.ts';
import { createExecutor, type Executor } from '../executor.ts';
import { createProcessHooks, type ProcessHooks } from '../process-hooks.ts';
import type { Compile } from '../running-task.ts';
import { ChildJob } from './child-job.ts';
import { createFitnessCheck } from './fitness.ts';
import { openParentChannel, type ParentChannel } from './parent-channel.ts';
import {
  type AbortReason,
  type ChildSettings,
  EXIT_FAULT,
  type FromChild,
  type HandedJob,
  PIPE_ENDED,
  type Question,
  type ToChild,
} from './protocol.ts';

/** What a child needs of an app; the App of contract.ts has it. */
interface LoadedApp {
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  readonly hooks: Hooks;
  readonly brokerUrl: string | undefined;
  useBroker(url: string): void;
  compileHere: Compile;
  readonly resultsUrl: string | undefined;
  useResults(url: string): void;
  readonly ownTasks: ReadonlyMap<string, TaskDefinition>;
  useAlerts(rules: readonly AlertRule[]): void;
}

/** Memory is looked at after a job, and at most so often: it costs a read of a file of the system. */
const MEMORY_EVERY_MS = 100;

const { exit, kill } = process;
/** Both are pipes here. */
const outputs = [process.stdout, process.stderr] as unknown as readonly Socket[];

/**
 * The pipe has ended: the parent is gone, or the application has closed it. Ends this process and everything that its task
 * has started; nothing that a task does to `process` can stop it.
 */
function die(): void {
  try {
    writeSync(2, `${PIPE_ENDED}\n`);
  } catch {
    // There is nobody to hear it.
  }
  try {
    kill(-process.pid, 'SIGKILL');
  } catch {
    kill(process.pid, 'SIGKILL');
  }
}

class TaskProcess {
  readonly #channel: ParentChannel;
  readonly #questions = new Map<number, PromiseWithResolvers<unknown>>();
  #settings: ChildSettings | undefined;
  #executor: Executor | undefined;
  #processHooks: ProcessHooks | undefined;
  #findFault: () => string | undefined = () => undefined;
  #asked = 0;
  #printedBytes = 0;
  #looksAtMemoryAt = 0;

  constructor() {
    this.#channel = openParentChannel({ onMessage: (message) => this.#hear(message), onEnd: die });
    process.on('uncaughtExceptionMonitor', (error) => {
      this.#channel.sendLast({ kind: 'uncaught', error: toStoredError(error) });
    });
  }

  #hear(message: ToChild): void {
    switch (message.kind) {
      case 'start':
        void this.#start(message.settings);
        return;
      case 'run':
        this.#run(message.run, message.job).catch((error) => this.#giveUp(error));
        return;
      case 'abort':
        this.#abort(message.reason);
        return;
      case 'answer':
        this.#settle(message);
        return;
      case 'leave':
        void this.#leave();
        return;
    }
  }

  async #start(settings: ChildSettings): Promise<void> {
    this.#settings = settings;
    try {
      const app = await loadApp(settings);
      // A promise that the module left to fail ends the process now, and not after it was said to be ready.
      await nextTurn();
      const { logger, taskLogger } = this.#createLoggers(settings);
      const event = { worker: settings.worker, queues: settings.queues };
      this.#processHooks = createProcessHooks(app.hooks, { event, logger });
      await this.#processHooks.start().catch((error) => {
        throw createError('CHILD_FAILED', { how: `the hook processStart failed: ${messageOf(error)}` }, error);
      });
      this.#executor = createExecutor({
        worker: settings.worker,
        tasks: app.tasks,
        ownTasks: app.ownTasks,
        hooks: app.hooks,
        clock: systemClock,
        logger,
        taskLogger,
        random: Math.random,
        unknownTasks: settings.unknownTasks,
        maxWorkerLost: settings.maxWorkerLost,
        limitsElsewhere: true,
        compile: (signature) => app.compileHere(signature),
        onFault: (error) => this.#giveUp(error),
      });
      this.#findFault = createFitnessCheck();
      this.#channel.send({ kind: 'ready' });
    } catch (error) {
      this.#channel.send({ kind: 'failed', failure: describeFailure(error) });
      await this.#channel.flush();
      process.exit(1);
    }
  }

  /**
   * Lines about how a job ended go with its outcome. Those that say that it begins, and those of the task itself, must not
   * wait: what follows may block the event loop for ever, and then they are what people look for.
   */
  #createLoggers({ log }: ChildSettings) {
    const create = (write: (line: string) => void) =>
      createLogger({ ...log, destination: createLineStream(write) }).log;
    const send = (line: string): void => this.#channel.sendLine(line);
    const hold = (line: string): void => this.#channel.holdLine(line);
    return {
      logger: create((line) => (line.startsWith('{"level":"DEBUG"') ? send(line) : hold(line))),
      taskLogger: create(send),
    };
  }

  async #run(run: number, handed: HandedJob): Promise<void> {
    const executor = this.#executor as Executor;
    const outcome = await executor.perform(new ChildJob(handed, (question) => this.#ask(run, question)));
    const memory = this.#readMemory();
    const unfit = this.#findFault();
    this.#channel.send({
      kind: 'ended',
      run,
      outcome,
      ...(memory !== undefined && { memory }),
      ...(unfit !== undefined && { unfit }),
      ...(this.#hasPrinted() && { printed: true }),
    });
  }

  #hasPrinted(): boolean {
    const before = this.#printedBytes;
    this.#printedBytes = outputs.reduce((bytes, { bytesWritten }) => bytes + bytesWritten, 0);
    return this.#printedBytes !== before;
  }

  #readMemory(): number | undefined {
    if (this.#settings?.reportsMemory !== true) return undefined;
    const now = systemClock.monotonic();
    if (now < this.#looksAtMemoryAt) return undefined;
    this.#looksAtMemoryAt = now + MEMORY_EVERY_MS;
    return process.memoryUsage.rss();
  }

  #abort(reason: AbortReason): void {
    const executor = this.#executor as Executor;
    if (reason.code === 'WORKER_STOPPING') {
      executor.abortAll();
      return;
    }
    for (const task of executor.running) {
      if (reason.code === 'TASK_REVOKED') task.revoke(reason.revocation, false);
      else task.abort(createError('SOFT_TIME_LIMIT', { task: task.task, limitMs: reason.limitMs }));
    }
  }

  #ask(run: number, question: Question): Promise<unknown> {
    this.#asked += 1;
    const answer = Promise.withResolvers<unknown>();
    this.#questions.set(this.#asked, answer);
    this.#channel.send({ kind: 'ask', ask: this.#asked, run, question });
    return answer.promise;
  }

  #settle({ ask, value, error }: ToChild & { kind: 'answer' }): void {
    const answer = this.#questions.get(ask);
    this.#questions.delete(ask);
    if (error === undefined) answer?.resolve(value);
    else answer?.reject(toError(error));
  }

  /** What tq stands on in this process is broken. The parent takes the job for one that has lost its process. */
  #giveUp(error: unknown): void {
    try {
      this.#channel.sendLast({ kind: 'uncaught', error: toStoredError(error) });
    } finally {
      exit.call(process, EXIT_FAULT);
    }
  }

  async #leave(): Promise<void> {
    await this.#processHooks?.stop();
    await this.#channel.flush();
    process.exit(0);
  }
}

async function loadApp({ module, brokerUrl, resultsUrl, alerts }: ChildSettings): Promise<LoadedApp> {
  const app = (await loadAppModule(module, process.cwd())) as LoadedApp;
  // A flag or the environment of the parent may have chosen another one than the app itself would.
  if (brokerUrl !== null && app.brokerUrl !== brokerUrl) app.useBroker(brokerUrl);
  if (resultsUrl !== null && app.resultsUrl !== resultsUrl) app.useResults(resultsUrl);
  if (alerts.length > 0) app.useAlerts(alerts);
  return app;
}

function createLineStream(write: (line: string) => void): Writable {
  return new Writable({
    decodeStrings: false,
    write(line: string, _, done) {
      write(line);
      done();
    },
  });
}

function describeFailure(error: unknown): (FromChild & { kind: 'failed' })['failure'] {
  if (error instanceof TqError) return { code: error.code, message: error.message, next: error.next };
  return { code: null, message: messageOf(error), next: null };
}

/** An error of the store, as it would have been thrown in the parent. */
function toError({ name, message, code, stack }: StoredError): Error {
  return Object.assign(new Error(message), { name, ...(code !== null && { code }), ...(stack !== null && { stack }) });
}

markAsChild();
// What stops the worker is decided by the worker. A supervisor may signal every process of a service at once.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP'] as const) process.on(signal, () => {});
new TaskProcess();
