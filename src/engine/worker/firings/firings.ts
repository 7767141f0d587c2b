/**
 * The firings of schedule entries in one worker, around their attempts:
 *
 * 1. `admit`, before anything else is asked: one that comes too late for its entry ends as IGNORED, one that its jitter holds is held;
 * 2. `perform`, when it is about to run: an earlier firing that has not ended makes it end unrun, or makes way (overlap.ts); its start
 *    is recorded;
 * 3. `end`, with the outcome: what became of it is recorded.
 *
 * All of 1 and 2 is judged once, before its first attempt: a retry goes on with what has begun, and whoever puts a dead firing back to
 * work wants it to run, however late. Expiry is judged with that of other jobs (refusal.ts), and what the pool refuses is left to it.
 *
 * The record is for people and for the overlap. Where the entry lets its firings overlap, nothing waits for it. Where it does not, the
 * broker decides: while it is away, the firing is held and tried again. No trouble with the record fails a job.
 */
import type { Logger } from 'pino';
import type { Broker, TakenJob } from '../../broker/port.ts';
import { type RevokeReport, type RevokeRequest, revokeJobs } from '../../control/revoke-jobs.ts';
import type { Clock } from '../../core/clock.ts';
import { TqError } from '../../core/errors.ts';
import type { Outcome } from '../../core/job.ts';
import type { RevokedJob } from '../../core/revocation.ts';
import { type Firing, type FiringMark, readFiring } from '../../core/schedule/firing.ts';
import { isFinished, type JobState } from '../../core/state.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import type { Hooks } from '../../events/hooks.ts';
import { type RunRecord, RunRecords } from '../../schedule/run-record.ts';
import type { TaskDefinition } from '../../task/definition.ts';
import { findTask } from '../../task/mapping.ts';
import { createReporter, type Reporter } from '../attempt-report.ts';
import { findRefusal } from '../refusal.ts';
import { RunningTask } from '../running-task.ts';
import { isMissed, missedOutcome, readHold } from './due-time.ts';
import { claimRun, recordBeside } from './overlap.ts';

export interface FiringsOptions {
  readonly worker: string;
  readonly broker: Broker;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly hooks: Hooks;
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  readonly ownTasks?: ReadonlyMap<string, TaskDefinition> | undefined;
  readonly maxWorkerLost: number;
  /** The worker stops: its pool hands every job back that comes now. */
  readonly isRefusing: () => boolean;
  /** Ends a firing that another one replaces. Without it, one that is a workflow by now keeps the steps that are out. */
  readonly revoke?: ((request: RevokeRequest) => Promise<RevokeReport>) | undefined;
}

/** A firing that this worker has started, and the writing of that. */
interface Started {
  readonly record: RunRecord;
  readonly written: Promise<unknown>;
}

/** After trouble with the broker. */
const TROUBLE_HOLD_MS = 1000;
/** How long a worker that stops waits for its last records. */
const LAST_NOTES_MS = 2000;
const RELEASED: Outcome = { kind: 'released' };

export class Firings {
  readonly #options: FiringsOptions;
  readonly #records: RunRecords;
  readonly #reporter: Reporter;
  readonly #started = new WeakMap<TakenJob, Started>();
  readonly #background = new Set<Promise<void>>();
  readonly #abandoned = new AbortController();

  constructor(options: FiringsOptions) {
    this.#options = options;
    this.#records = new RunRecords(options.broker.state);
    this.#reporter = createReporter(options);
  }

  /** Never rejects. @returns what becomes of a firing that does not run now; undefined when it goes on */
  async admit(job: TakenJob): Promise<Outcome | undefined> {
    const judged = this.#judged(job);
    if (judged === undefined) return undefined;
    const { firing, mark } = judged;
    const now = this.#options.clock.now();
    const delayMs = readHold(firing, mark, job, now);
    if (delayMs > 0) return { kind: 'held', delayMs };
    if (!isMissed(firing, mark, now) || (await this.#hasStarted(job, firing))) return undefined;
    return await this.#report(job, missedOutcome(firing, mark, now));
  }

  /** Runs a firing that may run. Never rejects if `run` does not. */
  async perform(job: TakenJob, run: () => Promise<Outcome>): Promise<Outcome> {
    const firing = readFiring(job);
    if (firing === undefined || this.#isRefused(job)) return await run();
    const record = this.#describe(job, firing);
    const overlap = this.#judged(job)?.mark.overlap;
    if (overlap === undefined) {
      this.#started.set(job, { record, written: this.#note(job, () => this.#record(job, firing.entry, record)) });
      return await run();
    }
    const claim = this.#claim(job, { firing, overlap, record });
    const early = await untilAborted(
      claim.then((outcome) => ({ outcome })),
      this.#abandoned.signal,
    );
    if (early === undefined) return RELEASED;
    if (early.outcome !== undefined) return early.outcome;
    this.#started.set(job, { record, written: claim });
    return await run();
  }

  /** Records what became of a firing, in the background. A job that was not started here may have been elsewhere. */
  end(job: TakenJob, outcome: Outcome): void {
    const firing = readFiring(job);
    const started = this.#started.get(job);
    const state = readState(outcome);
    if (firing === undefined || (started === undefined && (job.timesTaken === 1 || !isFinished(state)))) return;
    const { entry } = firing;
    const finishedAt = isFinished(state) ? this.#options.clock.now() : null;
    this.#note(job, async () => {
      await started?.written;
      const record = started?.record ?? (await this.#readOwn(job, entry));
      if (record !== undefined) await this.#record(job, entry, { ...record, state, finishedAt });
    });
  }

  /** Nothing waits for the broker any more: firings that are about to start go back to their queues. */
  abandon(): void {
    this.#abandoned.abort();
  }

  /** Resolves when the last records are written, or that has taken too long; no firing may end after that. */
  async stop(): Promise<void> {
    const limit = setTimeout(() => this.abandon(), LAST_NOTES_MS);
    await untilAborted(Promise.all(this.#background), this.#abandoned.signal);
    clearTimeout(limit);
  }

  /** A firing whose due time and overlap are to be judged; undefined of another job. */
  #judged(job: TakenJob): { readonly firing: Firing; readonly mark: FiringMark } | undefined {
    const { schedule: mark } = job.meta;
    const firing = readFiring(job);
    if (mark === undefined || firing === undefined || job.attempts > 1 || job.isPutBack) return undefined;
    return this.#isRefused(job) ? undefined : { firing, mark };
  }

  #isRefused(job: TakenJob): boolean {
    const options = this.#options;
    return options.isRefusing() || findRefusal(job, options) !== undefined || findTask(options, job.task) === undefined;
  }

  /** One that was handed back, or whose worker died, had been in time; so it is taken for when the broker does not say. */
  async #hasStarted(job: TakenJob, { entry }: Firing): Promise<boolean> {
    if (job.timesTaken === 1) return false;
    if (job.workersLost > 0) return true;
    return await this.#readOwn(job, entry).then(
      (record) => record !== undefined,
      () => true,
    );
  }

  async #readOwn({ id }: TakenJob, entry: string): Promise<RunRecord | undefined> {
    const [record] = await this.#records.read([entry]);
    return record?.jobId === id ? record : undefined;
  }

  /** @returns what becomes of it when it does not run now */
  async #claim(job: TakenJob, starting: Omit<Parameters<typeof claimRun>[1], 'job'>): Promise<Outcome | undefined> {
    const { broker, clock, logger } = this.#options;
    const revoke =
      this.#options.revoke ??
      ((request: RevokeRequest): Promise<RevokeReport> => revokeJobs({ broker, clock }, request));
    const onReplaced = (replaced: RevokedJob): void => this.#tellReplaced(job, replaced);
    try {
      const early = await claimRun({ broker, records: this.#records, revoke, onReplaced }, { job, ...starting });
      return early === undefined ? undefined : await this.#report(job, early);
    } catch (error) {
      const { fields } = this.#task(job);
      if (error instanceof TqError && error.code === 'BROKER_UNAVAILABLE') {
        logger.warn({ ...fields, err: error }, 'could not look whether an earlier firing still runs, the job is held');
        return { kind: 'held', delayMs: TROUBLE_HOLD_MS };
      }
      logger.warn({ ...fields, err: error }, 'could not look whether an earlier firing still runs, the job runs');
      return undefined;
    }
  }

  #tellReplaced(job: TakenJob, { id, happened }: RevokedJob): void {
    const { logger } = this.#options;
    const fields = { ...this.#task(job).fields, replaced: id, happened };
    if (happened === 'ignored the signal' || happened === 'no answer' || happened === 'orphaned') {
      logger.warn(fields, 'the earlier firing was revoked and may still run; this one begins');
      return;
    }
    logger.info(fields, 'the earlier firing was revoked, this one begins');
  }

  #describe({ id }: TakenJob, { dueAt }: Firing): RunRecord {
    const { clock, worker } = this.#options;
    return { jobId: id, dueAt, startedAt: clock.now(), state: 'STARTED', finishedAt: null, worker };
  }

  #record({ meta }: TakenJob, entry: string, record: RunRecord): Promise<unknown> {
    const isByHand = meta.schedule?.dueAt !== undefined;
    return isByHand ? recordBeside(this.#records, entry, record) : this.#records.note(entry, record);
  }

  #note(job: TakenJob, write: () => Promise<unknown>): Promise<void> {
    const noted = write().then(
      () => undefined,
      (error) => {
        const { fields } = this.#task(job);
        this.#options.logger.warn({ ...fields, err: error }, 'could not record what became of a firing');
      },
    );
    this.#background.add(noted);
    void noted.finally(() => this.#background.delete(noted));
    return noted;
  }

  #report(job: TakenJob, outcome: Outcome): Promise<Outcome> {
    return this.#reporter.ended(this.#task(job), outcome);
  }

  #task(job: TakenJob): RunningTask {
    return new RunningTask(job, this.#options.worker, this.#options.logger);
  }
}

/** What a firing is that came to this outcome. */
function readState(outcome: Outcome): JobState {
  switch (outcome.kind) {
    case 'succeeded':
      return 'SUCCESS';
    case 'ended':
      return outcome.state;
    case 'dead':
    case 'failed':
      return 'FAILURE';
    case 'retry':
    case 'lost':
      return 'RETRY';
    case 'postponed':
    case 'held':
      return 'SCHEDULED';
    case 'released':
      return 'PENDING';
    case 'blocked':
    case 'replaced':
      return 'BLOCKED';
  }
}
