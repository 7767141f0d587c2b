import type { Meta } from '../../core/envelope.ts';
import type { WorkflowGraph } from '../../core/workflow/graph.ts';
import type { AttemptJob } from '../attempt-job.ts';
import type { HandedJob, Question } from './protocol.ts';

/** A job in the child that runs it: its facts as they came, everything else is asked of the parent, which holds the lock. */
export class ChildJob implements AttemptJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly args: readonly unknown[];
  readonly meta: Meta;
  readonly createdAt: number;
  readonly attempts: number;
  readonly isPutBack: boolean;
  // The parent hands over no job that these would refuse.
  readonly workersLost = 0;
  readonly unreadable = null;
  readonly #ask: (question: Question) => Promise<unknown>;

  constructor(job: HandedJob, ask: (question: Question) => Promise<unknown>) {
    this.id = job.id;
    this.task = job.task;
    this.queue = job.queue;
    this.args = job.args;
    this.meta = job.meta;
    this.createdAt = job.createdAt;
    this.attempts = job.attempts;
    this.isPutBack = job.isPutBack === true;
    this.#ask = ask;
  }

  /** The parent has done both: it knows the task too. */
  dropResult(): void {}

  noteStart(): undefined {}

  async updateProgress(value: unknown): Promise<void> {
    await this.#ask({ about: 'progress', value });
  }

  async addMember(graph: WorkflowGraph): Promise<void> {
    await this.#ask({ about: 'member', graph });
  }

  async readLog(): Promise<string[]> {
    return (await this.#ask({ about: 'rows' })) as string[];
  }
}
