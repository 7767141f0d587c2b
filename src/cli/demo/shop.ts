import { setTimeout as sleep } from 'node:timers/promises';
import type { CallOptions } from '../../engine/app/call-options.ts';
import type { App } from '../../engine/app/contract.ts';
import { createApp } from '../../engine/app/create-app.ts';
import type { Clock } from '../../engine/core/clock.ts';
import { formatDuration } from '../../engine/core/duration.ts';
import { messageOf } from '../../engine/core/errors.ts';
import { readMark } from '../../engine/core/schedule/firing.ts';
import type { AsyncResult } from '../../engine/results/async-result.ts';
import { context } from '../../engine/task/context.ts';
import type { StoryEvent, Tell } from './story.ts';

/** What the shop can be asked for; each is a task. */
export type Errand = 'order' | 'payment' | 'invoice' | 'reminder' | 'photo';

export interface Shop {
  readonly app: App;
  /** Calls the task of an errand under a readable id (`order-1`, `order-2`, …), and tells of it. */
  call(
    errand: Errand,
    options?: Pick<CallOptions, 'priority'> & { countdownMs?: number },
  ): Promise<AsyncResult<unknown>>;
}

type JobName = Pick<StoryEvent, 'id' | 'task' | 'queue' | 'entry'>;

const QUEUE = 'shop';
const RETRY = { delay: '1s', backoff: 'exponential', jitter: false } as const;

/** A small app whose tasks do nothing but take their time and fail on purpose; what becomes of them is told. */
export function createShop(url: string, { clock, tell }: { clock: Clock; tell: Tell }): Shop {
  // The environment stays out of it: a TQ_BROKER_URL would go before the throw-away broker.
  const app = createApp(
    {
      broker: url,
      queues: [{ name: QUEUE, priorities: true }],
      hooks: {
        taskSuccess({ attempt, ...job }) {
          const named = name(job);
          const message = named.entry === undefined ? 'succeeded' : 'fired, and succeeded';
          tell({
            event: 'succeeded',
            message: attempt === 1 ? message : `${message}, attempt ${attempt}`,
            ...named,
            attempt,
          });
        },
        taskRetry({ attempt, delayMs, error, ...job }) {
          const message = `failed: ${messageOf(error)}; again in ${formatDuration(delayMs)}`;
          tell({ event: 'retry', message, ...name(job), attempt, dueAt: clock.now() + delayMs });
        },
        taskDead({ attempt, error, ...job }) {
          const message = `a dead letter after ${attempt} attempts: ${error.message}`;
          tell({ event: 'dead', message, ...name(job), attempt });
        },
      },
    },
    { clock, env: {} },
  );
  app.task('order.confirm', () => work(100));
  app.task('payment.capture', { retry: { ...RETRY, max: 3 } }, async () => {
    await work(100);
    if (context().attempt < 3) throw new Error('the bank does not answer');
  });
  app.task('invoice.print', { retry: { ...RETRY, max: 1 } }, async () => {
    await work(100);
    throw new Error('the printer has no paper');
  });
  app.task('reminder.send', () => work(100));
  app.task('photo.resize', () => work(400));
  app.task('stock.count', () => undefined);
  app.schedule({
    'stock-count': { task: 'stock.count', every: '10s', overlap: 'skip', description: 'counts what is on the shelves' },
    'health-check': { task: 'health.check', every: '1m', overlap: 'skip', description: 'looks whether all is well' },
    'monday-offer': {
      ...{ task: 'reminder.send', cron: '0 9 * * mon', timezone: 'Europe/Berlin' },
      ...{ enabled: false, description: 'paused until somebody resumes it' },
    },
  });

  const counts = new Map<Errand, number>();
  return {
    app,
    async call(errand, { priority, countdownMs } = {}) {
      const number = (counts.get(errand) ?? 0) + 1;
      counts.set(errand, number);
      const id = `${errand}-${number}`;
      const task = TASKS[errand];
      const options = {
        id,
        ...(priority !== undefined && { priority }),
        ...(countdownMs && { countdown: countdownMs }),
      };
      const dueAt = clock.now() + (countdownMs ?? 0);
      const result = await app.send(task, [], options);
      const job = { id, task, queue: QUEUE, ...(priority !== undefined && { priority }) };
      if (countdownMs !== undefined) {
        tell({ event: 'scheduled', message: `scheduled, due in ${formatDuration(countdownMs)}`, ...job, dueAt });
      } else {
        const message = priority === undefined ? 'called' : `called with priority ${priority}`;
        tell({ event: 'called', message, ...job });
      }
      return result;
    },
  };
}

const TASKS: Readonly<Record<Errand, string>> = {
  order: 'order.confirm',
  payment: 'payment.capture',
  invoice: 'invoice.print',
  reminder: 'reminder.send',
  photo: 'photo.resize',
};

/** Takes its time, and ends at once when the worker is told to hurry. */
async function work(ms: number): Promise<void> {
  await sleep(ms, undefined, { signal: context().signal });
}

function name({ id, task, queue }: { id: string; task: string; queue: string }): JobName {
  const { schedule } = readMark(id);
  return { id, task, queue, ...(schedule !== undefined && { entry: schedule.entry }) };
}
