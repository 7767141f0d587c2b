import type { CallOptions } from '../../src/engine/app/call-options.ts';
import type { App } from '../../src/engine/app/contract.ts';
import { createError } from '../../src/engine/core/errors.ts';
import { createJobResult } from '../../src/engine/results/job-result.ts';
import { defineTask } from '../../src/engine/task/definition.ts';
import { type FakeBroker, NOW } from './fake-broker.ts';

/** What the operations and the CLI ask of an app. */
export type UsedApp = Pick<App, 'tasks' | 'queues' | 'brokerUrl' | 'queueOf' | 'send' | 'broker' | 'close'>;

/** An app with two tasks that puts its calls into a double of a broker, and remembers their options. */
export class FakeApp implements UsedApp {
  readonly tasks = new Map(
    ['email.send', 'image.thumbnail'].map((name) => [name, defineTask(name, () => undefined)] as const),
  );
  readonly queues = ['high', 'default'];
  readonly brokerUrl = 'redis://localhost:6379/0';
  readonly sent: { task: string; args: readonly unknown[]; options: CallOptions }[] = [];
  /** The key of all its calls. */
  unique: string | undefined;
  readonly #broker: FakeBroker;

  constructor(broker: FakeBroker) {
    this.#broker = broker;
  }

  queueOf(task: string): string {
    return task.startsWith('email.') ? 'high' : 'default';
  }

  async send<Result>(task: string, args: readonly unknown[] = [], options: CallOptions = {}) {
    this.sent.push({ task, args, options });
    const queue = options.queue ?? this.queueOf(task);
    const id = options.id ?? '0198f6a2-7c1e-7000-8000-3f2a9c51d7e4';
    const delayMs = typeof options.countdown === 'number' ? options.countdown : undefined;
    const stored = await this.#broker.queue(queue).add({
      ...{ id, task, args, meta: {}, createdAt: NOW },
      ...(delayMs !== undefined && { delayMs }),
      ...(this.unique !== undefined && { unique: { key: this.unique } }),
    });
    const isDuplicate = stored !== id;
    const revoke = (): never => {
      throw new Error('the double only sends');
    };
    const lineage = { listFollowing: revoke, workflowOf: revoke, groupOf: revoke };
    const parts = { openBroker: async () => this.#broker, revoke, lineage };
    return createJobResult<Result>(stored, { ...parts, task, queue, isDuplicate });
  }

  async broker(): Promise<FakeBroker> {
    return this.#broker;
  }

  async close(): Promise<void> {}
}

/** An app whose module cannot be imported. */
export async function failToLoad(): Promise<never> {
  throw createError('APP_FAILED', { file: 'app.ts', reason: 'out of luck' });
}
