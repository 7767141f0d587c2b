/**
 * Whether a job may start now that a worker has taken it: the task is not paused, has a place and is within its rate. A job
 * that may not is held: moved to the scheduled ones, charged no attempt, so that it keeps no slot and other tasks of its
 * queue run on.
 *
 * 1. `start` reads which tasks are paused, before the first job is taken; from then on every few seconds, and when told to.
 * 2. `admit` is called for each job, before the pool gets it. For a task without limits, while nothing is paused, it costs a
 *    look-up and answers at once.
 * 3. What is refused anyway (expired, not readable, its worker stops) is left to the pool.
 * 4. Pause first, then a place, then the rate: a job that waits for its rate has no place.
 * 5. `end` of an admitted job gives its place back.
 *
 * A held job is entered into an index (held-index.ts) before it is moved, and what held it back is looked at once more after
 * that: whoever lets jobs go either finds the entry, or the job sees that it may start. Its wait is only the safety net for a
 * letting go that was lost.
 *
 * The broker's trouble neither fails nor loses a job: it is held for a moment and tried again. A worker that stops does not
 * wait for a lost broker here (`abandon`): the job goes back as it came, and its place ends with its lease.
 */
import type { Logger } from 'pino';
import type { Broker, TakenJob } from '../../broker/port.ts';
import type { Clock } from '../../core/clock.ts';
import { createError, TqError } from '../../core/errors.ts';
import { type Outcome, toStoredError } from '../../core/job.ts';
import { nearestNames } from '../../core/nearest.ts';
import type { Rate, RateChange } from '../../core/rate.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import type { Hooks } from '../../events/hooks.ts';
import type { TaskDefinition } from '../../task/definition.ts';
import type { ConcurrencyLimit } from '../../task/limits.ts';
import { createReporter } from '../attempt-report.ts';
import { findRefusal } from '../refusal.ts';
import { RunningTask } from '../running-task.ts';
import {
  concurrencyLine,
  encodeHeld,
  encodePart,
  type HeldLine,
  heldKey,
  heldPrefix,
  heldTtlMs,
  limitKey,
  parseLine,
  parseTask,
} from './held-index.ts';
import { letGoAll } from './letting-go.ts';
import { listPausedTasks } from './paused-tasks.ts';
import { type PlaceRequest, Places } from './places.ts';
import { createLocalLine, createRateGate, createSharedLine, type RateGate } from './rate-gate.ts';

export interface AdmissionOptions {
  readonly worker: string;
  readonly broker: Pick<Broker, 'state' | 'queue'>;
  /** Queues that the worker serves now. */
  readonly queues: () => readonly string[];
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly hooks: Hooks;
  readonly lockDurationMs: number;
  readonly maxWorkerLost: number;
  /** The worker stops: its pool hands every job back that comes now. */
  readonly isRefusing: () => boolean;
}

/** What became of a job at the gate. */
export interface Admitted {
  /** It must not run now, or not at all. */
  readonly outcome?: Outcome;
  /** Is called when the job has ended, before its outcome is stored; never rejects. */
  readonly end?: () => Promise<void>;
}

const POLL_MS = 5000;
const PAUSE_HOLD_MS = 3_600_000;
/** After trouble with the broker. */
const TROUBLE_HOLD_MS = 1000;
/** Held jobs of a concurrency limit come back by themselves one after the other, this far apart. */
const RETURN_SPACING_MS = 1000;
const LONGEST_RETURN_MS = 3_600_000;
/** What a worker that stops leaves to do here takes no longer, unless the broker is away. */
const LAST_MOVES_MS = 5000;
/** Held jobs that a new worker looks at, for the limits that it may have to look after. */
const LOOKED_AT = 1000;

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #places: Places;
  #paused: ReadonlySet<string> = new Set();
  readonly #rates = new Map<string, { readonly gate: RateGate | undefined; readonly scope: 'global' | 'worker' }>();
  readonly #changed = new Map<string, Rate | null>();
  readonly #background = new Set<Promise<void>>();
  readonly #abandoned = new AbortController();
  #poll: NodeJS.Timeout | undefined;
  #isLooking = false;
  #stopped = false;

  constructor(options: AdmissionOptions) {
    const { worker, broker, queues, logger, lockDurationMs: leaseMs } = options;
    this.#options = options;
    const owner = `${worker}/${crypto.randomUUID()}`;
    this.#places = new Places({ broker, queues, owner, leaseMs, logger });
  }

  /** @throws BROKER_UNAVAILABLE, BROKER_UNSUITABLE */
  async start(): Promise<void> {
    await this.#readAtStart();
    if (this.#stopped) return;
    this.#poll = setInterval(() => this.#lookForPauses(), POLL_MS);
  }

  /** Plain jobs need no state: a store that has no tables for it pauses and limits nothing. */
  async #readAtStart(): Promise<void> {
    try {
      await this.reloadPauses();
      await this.#watchLimits();
    } catch (error) {
      if (!(error instanceof TqError) || error.code !== 'BROKER_UNSUITABLE') throw error;
      this.#options.logger.debug({ err: error }, 'the broker keeps no record of paused tasks');
    }
  }

  /** What the workers before this one held back, and may have left. */
  async #watchLimits(): Promise<void> {
    const { broker, queues } = this.#options;
    for (const queue of queues()) {
      for (const { key } of await broker.state.list(heldPrefix(queue), LOOKED_AT)) {
        const [task, line] = [parseTask(key), parseLine(key)];
        if (!line.startsWith('concurrency-')) continue;
        this.#places.watch({ task, line, key: limitKey(task, line) }, RETURN_SPACING_MS);
      }
    }
  }

  /** Jobs that are at the gate go back to their queues, and nothing here waits for the broker any more. */
  abandon(): void {
    this.#abandoned.abort();
  }

  /** Resolves when what it began is done, or has taken too long; no job may be admitted or end after that. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#poll);
    const limit = setTimeout(() => this.abandon(), LAST_MOVES_MS);
    const done = Promise.all([this.#places.stop(), ...this.#background]);
    await untilAborted(done, this.#abandoned.signal);
    clearTimeout(limit);
  }

  /** Rates that were changed since the worker started, null for none. */
  get changedRates(): ReadonlyMap<string, Rate | null> {
    return this.#changed;
  }

  /** @returns the tasks that are paused now */
  async reloadPauses(): Promise<string[]> {
    const tasks = (await listPausedTasks(this.#options.broker.state)).map(({ task }) => task);
    this.#paused = new Set(tasks);
    return tasks;
  }

  /**
   * Replaces the rate of a task until this worker ends.
   *
   * @throws UNKNOWN_TASK
   */
  setRate({ task, rate, id }: RateChange): void {
    const { tasks } = this.#options;
    const definition = tasks.get(task);
    if (definition === undefined) {
      const next = 'name a task that this worker registers; `tq inspect registered` lists them';
      throw createError('UNKNOWN_TASK', { task, near: nearestNames(task, tasks.keys()), next });
    }
    this.#setGate(definition, rate, id);
    this.#changed.set(task, rate);
  }

  /** Lets go what the old rate held back, so that the new one counts at once. Returns at once. */
  letGoRate({ task, toAll = false }: Pick<RateChange, 'task' | 'toAll'>): void {
    const { broker, worker } = this.#options;
    const only = (entry: { readonly worker: string | null }): boolean => toAll || (entry.worker ?? worker) === worker;
    for (const queue of this.#options.queues()) {
      this.#inBackground(letGoAll(broker, { queue, task, line: 'rate', only }));
    }
  }

  /** Undefined when nothing holds the job back and nothing is to be done when it has ended. */
  admit(job: TakenJob): Promise<Admitted> | undefined {
    // What is unknown here is put back by the pool.
    const definition = this.#options.tasks.get(job.task);
    if (definition === undefined) return undefined;
    const hasLimits = definition.concurrency !== undefined || definition.rateLimit !== undefined;
    if (!hasLimits && !this.#changed.has(job.task) && !this.#paused.has(job.task)) return undefined;
    if (this.#options.isRefusing() || findRefusal(job, this.#options) !== undefined) return undefined;
    return this.#decideInTime(job, definition);
  }

  async #decideInTime(job: TakenJob, definition: TaskDefinition): Promise<Admitted> {
    const { signal } = this.#abandoned;
    const decision = this.#decide(job, definition);
    const admitted = await untilAborted(decision, signal);
    if (admitted === undefined) {
      this.#inBackground(decision.then(({ end }) => end?.()));
      return { outcome: { kind: 'released' } };
    }
    const { end } = admitted;
    return end === undefined ? admitted : { ...admitted, end: () => untilAborted(end(), signal) };
  }

  async #decide(job: TakenJob, definition: TaskDefinition): Promise<Admitted> {
    let place: PlaceRequest | undefined;
    const leave = async (): Promise<void> => {
      if (place !== undefined) await this.#places.giveBack(place);
    };
    try {
      const returning = job.timesTaken > job.attempts;
      const pause = await this.#holdForPause(job);
      if (pause !== undefined) return pause;
      const request = readPlaceRequest(job, definition);
      if (request !== undefined) {
        if (!(await this.#places.take(request, returning))) {
          const held = await this.#holdForPlace(job, request, returning);
          if (held !== undefined) return held;
        }
        place = request;
      }
      const held = await this.#holdForRate(job, definition, returning);
      // The task may have been paused since: a pause that was confirmed holds from then on.
      const refused = held ?? (await this.#holdForPause(job));
      if (refused !== undefined) {
        await leave();
        return refused;
      }
      if (returning) await this.#forget(job, request);
      return request === undefined ? {} : { end: leave };
    } catch (error) {
      await leave();
      const { logger } = this.#options;
      if (error instanceof KeyFailure) return { outcome: await this.#giveUp(job, error.cause) };
      logger.warn(
        { err: error, task_id: job.id, task_name: job.task },
        'could not look whether a job may start, it is held',
      );
      return { outcome: { kind: 'held', delayMs: TROUBLE_HOLD_MS } };
    }
  }

  async #giveUp(job: TakenJob, error: unknown): Promise<Outcome> {
    const outcome: Outcome = { kind: 'dead', error: toStoredError(error) };
    const { worker, logger } = this.#options;
    return await createReporter(this.#options).ended(new RunningTask(job, worker, logger), outcome);
  }

  async #holdForPause(job: TakenJob): Promise<Admitted | undefined> {
    if (!this.#paused.has(job.task)) return undefined;
    const held = await this.#hold(job, 'pause', PAUSE_HOLD_MS);
    if (this.#paused.has(job.task)) return held;
    // It was resumed meanwhile, perhaps by somebody who did not see the entry yet.
    await this.#options.broker.state.removeAll([{ key: heldKey(job, 'pause') }]);
    return undefined;
  }

  async #holdForPlace(job: TakenJob, request: PlaceRequest, returning: boolean): Promise<Admitted | undefined> {
    const { state } = this.#options.broker;
    const back = await state.reserve(request.key, { spacingMs: RETURN_SPACING_MS, horizonMs: LONGEST_RETURN_MS });
    const delayMs = RETURN_SPACING_MS + (back.taken ? back.waitMs : LONGEST_RETURN_MS);
    const held = await this.#hold(job, request.line, delayMs);
    // A place that was given back before the entry could be seen would be nobody's.
    if (!(await this.#places.take(request, returning))) return held;
    await state.removeAll([{ key: heldKey(job, request.line) }]);
    return undefined;
  }

  async #holdForRate(job: TakenJob, definition: TaskDefinition, returning: boolean): Promise<Admitted | undefined> {
    const { gate, scope } = this.#rateOf(definition);
    const delayMs = await gate?.pass(returning);
    if (delayMs === undefined) return undefined;
    const held = await this.#hold(job, 'rate', delayMs, scope === 'worker' ? this.#options.worker : null);
    if (this.#rateOf(definition).gate === gate) return held;
    // The rate was changed meanwhile.
    const again = await this.#holdForRate(job, definition, true);
    if (again === undefined) await this.#options.broker.state.removeAll([{ key: heldKey(job, 'rate') }]);
    return again;
  }

  async #hold(job: TakenJob, line: HeldLine, delayMs: number, worker: string | null = null): Promise<Admitted> {
    const waitMs = Math.ceil(delayMs);
    const ttlMs = heldTtlMs(waitMs);
    await this.#options.broker.state.write(heldKey(job, line), encodeHeld(job, worker), { ttlMs });
    return { outcome: { kind: 'held', delayMs: waitMs } };
  }

  /** Removes what a job that comes back may have left in the index. */
  async #forget(job: TakenJob, request: PlaceRequest | undefined): Promise<void> {
    const lines: HeldLine[] = ['pause', 'rate', ...(request === undefined ? [] : [request.line])];
    await this.#options.broker.state.removeAll(lines.map((line) => ({ key: heldKey(job, line) })));
  }

  #rateOf(definition: TaskDefinition): { readonly gate: RateGate | undefined; readonly scope: 'global' | 'worker' } {
    const { rateLimit } = definition;
    const own = (): string => `own-${rateLimit?.count}-${rateLimit?.periodMs}`;
    return this.#rates.get(definition.name) ?? this.#setGate(definition, rateLimit ?? null, own());
  }

  #setGate(definition: TaskDefinition, rate: Rate | null, id: string) {
    const scope = definition.rateLimit?.scope ?? 'worker';
    const { broker, clock } = this.#options;
    const createLine = (part: 'line' | 'gate') =>
      scope === 'worker'
        ? createLocalLine(clock)
        : createSharedLine(broker.state, `rate/${encodePart(definition.name)}/${encodePart(id)}/${part}`);
    const gate =
      rate === null ? undefined : createRateGate(rate, { line: createLine('line'), gate: createLine('gate') });
    const made = { gate, scope };
    this.#rates.set(definition.name, made);
    return made;
  }

  /** Whoever resumed a task lets its jobs go; this is for what happened while nobody could tell this worker. */
  #lookForPauses(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const before = this.#paused;
    const look = async (): Promise<void> => {
      await this.reloadPauses();
      const { broker } = this.#options;
      for (const task of before) {
        if (this.#paused.has(task)) continue;
        for (const queue of this.#options.queues()) await letGoAll(broker, { queue, task, line: 'pause' });
      }
    };
    this.#inBackground(
      look().finally(() => {
        this.#isLooking = false;
      }),
    );
  }

  #inBackground(work: Promise<unknown>): void {
    const done = work.then(
      () => undefined,
      (error) => this.#options.logger.debug({ err: error }, 'could not look after paused and limited tasks'),
    );
    this.#background.add(done);
    void done.finally(() => this.#background.delete(done));
  }
}

/** What the application's function threw or gave instead of a key. */
class KeyFailure extends Error {}

function readPlaceRequest(job: TakenJob, { name, concurrency }: TaskDefinition): PlaceRequest | undefined {
  if (concurrency === undefined) return undefined;
  const line = concurrencyLine(readKey(job, name, concurrency));
  return { jobId: job.id, queue: job.queue, task: name, line, key: limitKey(name, line), limit: concurrency.limit };
}

/** Its code is the application's: what it throws is no trouble of the worker. */
function readKey(job: TakenJob, task: string, { key }: ConcurrencyLimit): string {
  if (key === undefined) return '';
  let given: unknown;
  try {
    given = key(...job.args);
  } catch (error) {
    const reason = error instanceof Error ? `it threw ${error.message}` : 'it threw a value that is no error';
    throw new KeyFailure('', { cause: createError('CONCURRENCY_KEY_FAILED', { task, reason }, error) });
  }
  if (typeof given === 'string' || (typeof given === 'number' && Number.isFinite(given))) return `=${given}`;
  const reason = `it gave ${given instanceof Promise ? 'a promise' : typeof given}, which is no text and no number`;
  throw new KeyFailure('', { cause: createError('CONCURRENCY_KEY_FAILED', { task, reason }) });
}
