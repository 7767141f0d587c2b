import type { TakenJob } from '../../../src/engine/broker/port.ts';
import type { Meta } from '../../../src/engine/core/envelope.ts';
import type { JobState } from '../../../src/engine/core/state.ts';

export type FakeJobFields = Partial<
  Omit<TakenJob, 'dropResult' | 'dropsResult' | 'noteStart' | 'updateProgress' | 'updateMeta' | 'log' | 'readLog'>
>;

/** A job that was taken, with what a worker did to it. */
export class FakeJob implements TakenJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly state: JobState;
  args: readonly unknown[];
  meta: Meta;
  readonly priority: number | null;
  readonly createdAt: number;
  readonly dueAt = null;
  readonly startedAt = null;
  readonly finishedAt: number | null;
  readonly attempts: number;
  readonly timesTaken: number;
  readonly workersLost: number;
  readonly worker = null;
  readonly result: unknown;
  readonly error: TakenJob['error'];
  readonly reason: string | null;
  readonly stacks = [];
  readonly failures = [];
  readonly unique: string | null;
  readonly unreadable: string | null;
  readonly isPutBack: boolean;
  revoked: TakenJob['revoked'];

  /** The latest progress, as a store keeps it. */
  progress: unknown;
  readonly progressed: unknown[] = [];
  readonly rows: string[] = [];
  isDropped = false;
  /** How often its start was noted. */
  starts = 0;

  constructor(fields: FakeJobFields = {}) {
    this.id = fields.id ?? 'job-1';
    this.task = fields.task ?? 'a.task';
    this.queue = fields.queue ?? 'default';
    this.state = fields.state ?? 'STARTED';
    this.args = fields.args ?? [];
    this.meta = fields.meta ?? {};
    this.priority = fields.priority ?? null;
    this.createdAt = fields.createdAt ?? 1_000_000;
    this.finishedAt = fields.finishedAt ?? null;
    this.attempts = fields.attempts ?? 1;
    this.timesTaken = fields.timesTaken ?? this.attempts;
    this.workersLost = fields.workersLost ?? 0;
    this.progress = fields.progress ?? null;
    this.result = fields.result ?? null;
    this.error = fields.error ?? null;
    this.reason = fields.reason ?? null;
    this.unique = fields.unique ?? null;
    this.unreadable = fields.unreadable ?? null;
    this.isPutBack = fields.isPutBack ?? false;
    this.revoked = fields.revoked;
  }

  noteStart(): Promise<void> | undefined {
    this.starts += 1;
    return undefined;
  }

  get dropsResult(): boolean {
    return this.isDropped;
  }

  dropResult(): void {
    this.isDropped = true;
  }

  async updateProgress(progress: unknown): Promise<void> {
    this.progress = progress;
    this.progressed.push(progress);
  }

  async updateMeta(meta: Meta): Promise<void> {
    this.meta = meta;
  }

  async log(row: string): Promise<void> {
    this.rows.push(row);
  }

  async readLog(): Promise<string[]> {
    return [...this.rows];
  }
}
