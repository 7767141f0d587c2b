/**
 * One child process, as its parent sees it.
 *
 * 1. `starting`: it loads the app and runs `processStart`; `ready` says how that ended.
 * 2. `idle`: it waits for a job.
 * 3. `busy`: it runs one job, from `run` until its outcome comes or the process is gone.
 * 4. `doomed`: it was killed, or must leave; what it still says about a job does not count.
 * 5. `gone`: the process has ended and what it wrote was read; `onGone` is called once.
 *
 * Each child leads a process group and a session of its own. So a Ctrl-C on the terminal and a signal to the worker's group
 * do not reach it before the worker has decided what to do, and killing it takes along what its task has started. It ends by
 * itself when its pipe does, which is what it sees of a worker that was killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { type Duplex, PassThrough, type Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { catalogue, type ErrorCode } from '../../core/error-catalogue.ts';
import { createError, TqError } from '../../core/errors.ts';
import type { Outcome, StoredError } from '../../core/job.ts';
import type { LogRelay } from '../../runtime/log-relay.ts';
import type { AttemptJob } from '../attempt-job.ts';
import { ChildChannel } from './child-channel.ts';
import { type ChildOutput, logOutput } from './child-output.ts';
import { type Death, describeDeath } from './death.ts';
import type { AbortReason, ChildSettings, FromChild, StartFailure } from './protocol.ts';

export interface ChildOptions {
  readonly settings: ChildSettings;
  readonly logger: Logger;
  readonly relay: LogRelay;
  /** Flags of Node beside those of this process. */
  readonly execArgv?: readonly string[] | undefined;
  /** The process has ended. A job that it was running has ended just before, by `run`. */
  readonly onGone: (child: Child, end: { readonly death: Death; readonly wasBusy: boolean }) => void;
}

/** How the run of a job ended: with what the child said, or because there is no child any more. */
export type RunEnd =
  | {
      readonly kind: 'ended';
      readonly outcome: Outcome;
      readonly memory: number | undefined;
      readonly unfit: string | undefined;
    }
  | { readonly kind: 'died'; readonly death: Death };

/** What log lines about a job carry. */
export interface LoggedTask {
  readonly fields: Readonly<Record<string, unknown>>;
}

interface Run {
  readonly job: AttemptJob;
  readonly logged: LoggedTask;
  readonly resolve: (end: RunEnd) => void;
}

/** An app that is not loaded by then will not be; a slot must not stay empty without a word. */
const START_LIMIT_MS = 60_000;
/** `processStop` may take so long. */
const LEAVE_LIMIT_MS = 5000;
/** The pipes of a dead process end at once, unless something that it started holds them. */
const LAST_WORDS_MS = 250;

const ENTRY = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './child-main.ts' : './child-main.js', import.meta.url),
);

export class Child {
  /** Resolves when it waits for its first job; rejects with what kept it from that. */
  readonly ready: Promise<void>;
  readonly #options: ChildOptions;
  readonly #spawned: ChildProcess;
  readonly #channel: ChildChannel;
  readonly #outputs: readonly ChildOutput[];
  readonly #readiness = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<Death>();
  #state: 'starting' | 'idle' | 'busy' | 'doomed' | 'gone' = 'starting';
  #runs = 0;
  #run: Run | undefined;
  /** How the run ends, once its output has been read. */
  #said: RunEnd | undefined;
  #jobsDone = 0;
  #reason: string | undefined;
  #uncaught: StoredError | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ChildOptions) {
    this.#options = options;
    this.ready = this.#readiness.promise;
    // Whoever starts a child looks at it, perhaps only after it has failed.
    this.ready.catch(() => undefined);
    const flags = [...ownFlags(), ...(options.execArgv ?? [])];
    this.#spawned = spawn(process.execPath, [...flags, ENTRY, options.settings.worker], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      detached: true,
      windowsHide: true,
    });
    // The system may have no descriptor left for one of them; what is told then is that the process cannot be started.
    const [, stdout, stderr, pipe] = this.#spawned.stdio ?? [];
    this.#channel = new ChildChannel((pipe as Duplex | undefined) ?? new PassThrough(), {
      onMessage: (message) => this.#hear(message),
      onNonsense: () => this.kill('it wrote into its pipe to the worker'),
      onClose: () => this.#losePipe(),
    });
    this.#outputs = [this.#log(stdout, 'stdout'), this.#log(stderr, 'stderr')];
    this.#listen();
    this.#timer = setTimeout(() => this.kill(`it was not ready after ${START_LIMIT_MS / 1000} s`), START_LIMIT_MS);
    this.#channel.send({ kind: 'start', settings: options.settings });
  }

  /** Undefined when the system could not start the process. */
  get pid(): number | undefined {
    return this.#spawned.pid;
  }

  /** Jobs that it has run to their end. */
  get jobsDone(): number {
    return this.#jobsDone;
  }

  get isIdle(): boolean {
    return this.#state === 'idle';
  }

  /** Hands over a job; only an idle child takes one. */
  run(job: AttemptJob, logged: LoggedTask): Promise<RunEnd> {
    this.#state = 'busy';
    this.#uncaught = undefined;
    this.#runs += 1;
    const { id, task, queue, args, meta, createdAt, attempts } = job;
    const isPutBack = meta.schedule !== undefined && job.isPutBack;
    const facts = { id, task, queue, args, meta, createdAt, attempts, ...(isPutBack && { isPutBack }) };
    this.#channel.send({ kind: 'run', run: this.#runs, job: facts });
    return new Promise((resolve) => {
      this.#run = { job, logged, resolve };
    });
  }

  /** Aborts the signal of the running job; a child whose event loop is blocked does not hear it. */
  abort(reason: AbortReason): void {
    if (this.#state === 'busy') this.#channel.send({ kind: 'abort', run: this.#runs, reason });
  }

  /**
   * Ends the process and everything that it has started, now.
   *
   * @param reason what to tell about it; without one its death speaks for itself
   */
  kill(reason?: string): void {
    if (this.#state === 'gone') return;
    this.#reason ??= reason;
    this.#state = 'doomed';
    this.#signal();
  }

  /** Lets an idle child run `processStop` and end; resolves when it is gone. */
  async leave(): Promise<void> {
    if (this.#state === 'idle') {
      this.#state = 'doomed';
      this.#channel.send({ kind: 'leave' });
      this.#timer = setTimeout(() => this.#signal(), LEAVE_LIMIT_MS);
    }
    await this.#gone.promise;
  }

  #log(stream: unknown, name: 'stdout' | 'stderr'): ChildOutput {
    const { logger, relay, settings } = this.#options;
    const own = { worker: settings.worker, pid: this.#spawned.pid };
    const readable = (stream as Readable | undefined) ?? new PassThrough();
    return logOutput(readable, { name, logger, relay, fields: () => this.#run?.logged.fields ?? own });
  }

  #listen(): void {
    this.#spawned.on('error', (error) => {
      if (this.#spawned.pid !== undefined) return;
      this.#end({ code: null, signal: null, reason: `the process cannot be started: ${error.message}` });
    });
    this.#spawned.on('exit', (code, signal) => {
      // What its task has started and not ended: nobody would.
      this.#signal();
      const end = (): void => this.#end({ code, signal, reason: this.#reason });
      this.#spawned.on('close', end);
      clearTimeout(this.#timer);
      this.#timer = setTimeout(end, LAST_WORDS_MS);
    });
  }

  /** Most often the pipe ends because the process does, which is told a moment later. */
  #losePipe(): void {
    const { exitCode, signalCode } = this.#spawned;
    if (exitCode !== null || signalCode !== null || this.#state === 'gone') return;
    if (this.#state !== 'busy') this.#state = 'doomed';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.kill('it closed its pipe to the worker'), LAST_WORDS_MS);
  }

  #hear(message: FromChild): void {
    switch (message.kind) {
      case 'line':
        this.#options.relay.write(message.line);
        return;
      case 'ended':
        this.#hearEnd(message);
        return;
      case 'ask':
        void this.#answer(message);
        return;
      case 'ready':
        if (this.#state !== 'starting') return;
        clearTimeout(this.#timer);
        this.#state = 'idle';
        this.#readiness.resolve();
        return;
      case 'failed':
        this.#readiness.reject(toStartError(message.failure));
        return;
      case 'uncaught':
        this.#uncaught = message.error;
        return;
    }
  }

  /**
   * What the task has printed is read before the run ends, so that it is logged as its own. It lies in the other pipes by now,
   * and the event loop looks at them at the latest in its next turn.
   */
  #hearEnd({ run, outcome, memory, unfit, printed }: FromChild & { kind: 'ended' }): void {
    if (this.#state !== 'busy' || run !== this.#runs) return;
    this.#said = { kind: 'ended', outcome, memory, unfit };
    if (printed !== true) {
      this.#endRun();
      return;
    }
    const end = (): void => {
      for (const output of this.#outputs) output.flush();
      this.#endRun();
    };
    setImmediate(() => setImmediate(end));
  }

  #endRun(): void {
    if (this.#state !== 'busy' || this.#said === undefined) return;
    this.#state = 'idle';
    this.#jobsDone += 1;
    this.#finishRun(this.#said);
  }

  #finishRun(end: RunEnd): void {
    const run = this.#run;
    this.#run = undefined;
    this.#said = undefined;
    run?.resolve(end);
  }

  #answer({ ask, run, question }: FromChild & { kind: 'ask' }): Promise<void> {
    return this.#channel.answer(ask, question, run === this.#runs ? this.#run?.job : undefined);
  }

  /** To the whole group; a process that did not come to lead one yet is killed alone. */
  #signal(): void {
    const { pid } = this.#spawned;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      this.#spawned.kill('SIGKILL');
    }
  }

  #end(how: Pick<Death, 'code' | 'signal' | 'reason'>): void {
    if (this.#state === 'gone') return;
    this.#state = 'gone';
    clearTimeout(this.#timer);
    const death: Death = { ...how, stderr: this.#outputs[1]?.tail ?? '', uncaught: this.#uncaught };
    for (const output of this.#outputs) output.flush();
    for (const stream of this.#spawned.stdio ?? []) stream?.destroy();
    this.#readiness.reject(createError('CHILD_FAILED', describeDeath(death)));
    const wasBusy = this.#run !== undefined;
    this.#finishRun(this.#said ?? { kind: 'died', death });
    this.#gone.resolve(death);
    this.#options.onGone(this, { death, wasBusy });
  }
}

/** The flags of Node that this process was started with: loaders and conditions that the app may need. */
function ownFlags(): string[] {
  // A second debugger on the same port would not open; NODE_OPTIONS reaches the child anyway.
  return process.execArgv.filter((flag) => !flag.startsWith('--inspect'));
}

/** The error of the catalogue as the child met it. */
function toStartError({ code, message, next }: StartFailure): Error {
  if (code !== null && Object.hasOwn(catalogue, code))
    return new TqError(code as ErrorCode, { message, next: next ?? '' });
  return createError('CHILD_FAILED', { how: message });
}
