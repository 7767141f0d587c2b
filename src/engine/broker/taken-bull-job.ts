import type { IQueueBackend, Job } from 'bullmq';
import { decodeEnvelope, type Meta } from '../core/envelope.ts';
import type { Revocation } from '../core/revocation.ts';
import { readFailedAttempts } from './failed-attempts.ts';
import type { TakenJob } from './port.ts';
import { decodePriority, decodeProgress, decodeStacks, decodeUnique } from './stored-job.ts';

interface TakenFrom {
  readonly name: string;
  readonly backend: IQueueBackend;
  /** Why the data is not JSON, if it is not. */
  readonly unreadable: string | null;
  readonly revoked?: Revocation | undefined;
}

/** A job of BullMQ that this process holds the lock of, in tq's words. */
export class TakenBullJob implements TakenJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly state = 'STARTED';
  args: readonly unknown[];
  readonly meta: Meta;
  readonly unreadable: string | null;
  revoked: Revocation | undefined;
  readonly dueAt = null;
  readonly finishedAt = null;
  readonly result = null;
  readonly error = null;
  readonly reason = null;
  readonly #job: Job;
  readonly #backend: IQueueBackend;

  constructor(job: Job, { name: queue, backend, unreadable, revoked }: TakenFrom) {
    const { args, meta } = unreadable === null ? decodeEnvelope(job.data) : { args: [job.data], meta: {} };
    this.#job = job;
    this.#backend = backend;
    this.id = job.id as string;
    this.task = job.name;
    this.queue = queue;
    this.args = args;
    this.meta = meta;
    this.unreadable = unreadable;
    this.revoked = revoked;
  }

  get priority(): number | null {
    return decodePriority(this.#job.priority);
  }

  get createdAt(): number {
    return this.#job.timestamp;
  }

  get startedAt(): number | null {
    return this.#job.processedOn ?? null;
  }

  get attempts(): number {
    return this.#job.attemptsMade + 1;
  }

  get timesTaken(): number {
    return this.#job.attemptsStarted;
  }

  get workersLost(): number {
    return this.#job.stalledCounter;
  }

  get worker(): string | null {
    return this.#job.processedBy ?? null;
  }

  get progress(): unknown {
    return decodeProgress(this.#job.progress);
  }

  get stacks(): readonly string[] {
    return decodeStacks(this.#job.stacktrace ?? []);
  }

  get isPutBack(): boolean {
    const { stacktrace, attemptsMade } = this.#job;
    const facts = { attemptsMade, death: null, startedAt: null, finishedAt: null, worker: null };
    return readFailedAttempts(stacktrace ?? [], facts).some(({ isEarlier }) => isEarlier);
  }

  get unique(): string | null {
    return decodeUnique(this.#job.deduplicationId, this.task);
  }

  noteStart(): Promise<void> | undefined {
    return this.meta.uniqueUntil === 'started' ? releaseUnique(this.#job, this.#backend) : undefined;
  }

  get dropsResult(): boolean {
    return this.#job.opts.removeOnComplete === true;
  }

  dropResult(): void {
    this.#job.opts.removeOnComplete = true;
  }

  async updateProgress(progress: unknown): Promise<void> {
    await this.#job.updateProgress(progress as never);
  }

  async updateMeta(meta: Meta): Promise<void> {
    await this.#backend.updateData(this.#job, { args: this.args, meta });
  }

  async log(row: string): Promise<void> {
    await this.#job.log(row);
  }

  async readLog(): Promise<string[]> {
    const { logs } = await this.#backend.getJobLogs(this.id, 0, -1, true);
    return logs;
  }
}

/** Gives back the unique key of a job; one that another job holds by now is left to it. */
export async function releaseUnique({ id, deduplicationId }: Job, backend: IQueueBackend): Promise<void> {
  if (id !== undefined && deduplicationId !== undefined) await backend.removeDeduplicationKey(deduplicationId, id);
}
