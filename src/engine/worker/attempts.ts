import type { TakenJob } from '../broker/port.ts';
import type { WorkerCounters } from '../control/controlled-worker.ts';
import type { Outcome } from '../core/job.ts';
import type { Admission, Admitted } from './admission/admission.ts';
import type { HeldJob } from './control-view.ts';
import type { DeadLetters } from './dead-letters/dead-letters.ts';
import type { Firings } from './firings/firings.ts';
import type { Pool, RunningJob } from './pool.ts';
import type { ResultWriting } from './result-writing.ts';
import type { Revocations } from './revocations.ts';
import type { Workflows } from './workflows/workflows.ts';

const COUNTED_AS = {
  succeeded: 'succeeded',
  ended: 'ended',
  retry: 'retried',
  lost: 'retried',
  dead: 'failed',
  postponed: 'handedBack',
  released: 'handedBack',
  blocked: 'handedBack',
  failed: 'ended',
  replaced: 'succeeded',
} as const satisfies Record<Exclude<Outcome['kind'], 'held'>, string>;

/** How many attempts ended how. */
export type AttemptCounters = WorkerCounters;

interface AttemptsOptions {
  readonly pool: Pool;
  readonly revocations: Revocations;
  readonly admission: Admission;
  readonly workflows: Workflows;
  readonly firings: Firings;
  /** Stores results apart from the broker. */
  readonly results?: ResultWriting | undefined;
  readonly deadLetters?: DeadLetters | undefined;
}

/**
 * The jobs that a worker holds, each from when it was taken to its outcome:
 *
 * 1. orders to revoke it are heard from now on (revocations.ts);
 * 2. a step of a workflow is given what it waited for (workflows/workflows.ts);
 * 3. it is admitted, or held back for its task (admission.ts);
 * 4. the pool runs it; a firing of a schedule entry is judged before 3, and once more here (firings/);
 * 5. what it was admitted with is given back, and what follows it in its workflow is added;
 * 6. its result is stored, where results have a store of their own (result-writing.ts);
 * 7. a dead letter is noted for the application and its alerts (dead-letters/), and the end is counted.
 */
export class Attempts {
  readonly counters = { succeeded: 0, retried: 0, failed: 0, ended: 0, handedBack: 0 };
  readonly #options: AttemptsOptions;
  readonly #held = new Set<TakenJob>();
  /** Jobs that are being looked at whether they may start. */
  #atGate = 0;

  constructor(options: AttemptsOptions) {
    this.#options = options;
  }

  /** Jobs that need a slot. One that may not start yet, or has ended and waits for the result store, needs none. */
  get busy(): number {
    return this.#held.size - this.#atGate - (this.#options.results?.waiting ?? 0);
  }

  /** Never rejects, as the pool does not. */
  perform(job: TakenJob): Promise<Outcome> {
    this.#held.add(job);
    const { revocations, workflows } = this.#options;
    const run = (): Promise<Outcome> => this.#admit(job);
    const ended = revocations.watch(job, workflows.concerns(job) ? () => workflows.perform(job, run) : run);
    return ended.then((outcome) => this.#follow(job, outcome));
  }

  /** A job that was in no workflow may have become one. */
  #follow(job: TakenJob, outcome: Outcome): Outcome | Promise<Outcome> {
    if (outcome.kind !== 'replaced') return this.#store(job, outcome);
    return this.#options.workflows.end(job, outcome).then((led) => this.#store(job, led));
  }

  #store(job: TakenJob, outcome: Outcome): Outcome | Promise<Outcome> {
    const stored = this.#options.results?.write(job, outcome) ?? outcome;
    return stored instanceof Promise ? stored.then((known) => this.#note(job, known)) : this.#note(job, stored);
  }

  #note(job: TakenJob, outcome: Outcome): Outcome | Promise<Outcome> {
    const noted = outcome.kind === 'dead' ? this.#options.deadLetters?.note(job, outcome.error) : undefined;
    return noted === undefined ? this.#end(job, outcome) : noted.then(() => this.#end(job, outcome));
  }

  #end(job: TakenJob, outcome: Outcome): Outcome {
    this.#held.delete(job);
    if (job.meta.schedule !== undefined) this.#options.firings.end(job, outcome);
    if (outcome.kind !== 'held') this.counters[COUNTED_AS[outcome.kind]] += 1;
    return outcome;
  }

  /** One that is not running waits for a place in the pool. BullMQ numbers the jobs of each queue by itself. */
  listHeld(): HeldJob[] {
    const running = new Map<string, RunningJob>();
    for (const run of this.#options.pool.running) running.set(`${run.queue}:${run.id}`, run);
    return [...this.#held].map((job) => {
      const run = running.get(`${job.queue}:${job.id}`);
      return {
        id: job.id,
        task: job.task,
        queue: job.queue,
        attempt: job.attempts,
        startedAt: job.startedAt ?? job.createdAt,
        requestId: job.meta.requestId ?? job.meta.rootId ?? job.id,
        progress: job.progress,
        pid: run === undefined ? null : (run.pid ?? process.pid),
      };
    });
  }

  #admit(job: TakenJob): Promise<Outcome> {
    if (job.meta.schedule === undefined) return this.#enter(job);
    return this.#options.firings.admit(job).then((outcome) => outcome ?? this.#enter(job));
  }

  #enter(job: TakenJob): Promise<Outcome> {
    const admitted = this.#options.admission.admit(job);
    return admitted === undefined ? this.#start(job) : this.#run(job, admitted);
  }

  async #run(job: TakenJob, admitted: Promise<Admitted>): Promise<Outcome> {
    this.#atGate += 1;
    const { outcome, end } = await admitted.finally(() => {
      this.#atGate -= 1;
    });
    try {
      // One that was revoked meanwhile waits for nothing: the pool ends it.
      const isRevoked = outcome?.kind === 'held' && job.revoked !== undefined;
      return outcome === undefined || isRevoked ? await this.#start(job) : outcome;
    } finally {
      await end?.();
    }
  }

  #start(job: TakenJob): Promise<Outcome> {
    const { firings, pool } = this.#options;
    return job.meta.schedule === undefined ? pool.perform(job) : firings.perform(job, () => pool.perform(job));
  }
}
