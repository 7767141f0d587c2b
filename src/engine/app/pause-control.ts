import { type QueuePause, setQueuePauses } from '../control/pausing-queues.ts';
import type { Duration } from '../core/duration.ts';
import { assertTaskName } from '../task/definition.ts';
import { pauseTasks, resumeTasks, type TaskPause, type TaskResume } from '../worker/admission/pausing-tasks.ts';
import { assertText, parseAsk } from './ask-options.ts';
import type { Asking } from './worker-question.ts';

export interface PauseOptions {
  /** How long the live workers may take to confirm. Default 2 s. */
  timeout?: Duration;
}

export interface PausedTaskReply extends TaskPause {
  /** Live workers that did not say that they know. They read it by themselves within five seconds. */
  readonly unconfirmed: readonly string[];
  /** Workers answered, and none of them registers the task: a new one may, or the name is misspelt. */
  readonly unregistered: boolean;
}

export interface ResumedTaskReply extends TaskResume {
  readonly unconfirmed: readonly string[];
}

/** What holds for all workers, also for those that start later, until it is taken back. */
export interface PauseControl {
  /**
   * Pauses a task in all queues. Running jobs end, others are held back and keep their place. Resolves when all live workers
   * have confirmed or the timeout is over.
   *
   * @throws INVALID_OPTION, UNKNOWN_OPTION, INVALID_DURATION, BROKER_UNAVAILABLE
   */
  pauseTask(task: string, options?: PauseOptions): Promise<PausedTaskReply>;
  /** Resumes a task: its held jobs are the next of their queues, in their old order. Throws as `pauseTask` does. */
  resumeTask(task: string, options?: PauseOptions): Promise<ResumedTaskReply>;
  /**
   * Pauses a queue for all clients of BullMQ: running jobs end, new ones are stored and wait.
   *
   * @throws UNKNOWN_QUEUE for one that the broker does not hold, INVALID_OPTION, BROKER_UNAVAILABLE
   */
  pauseQueue(queue: string): Promise<QueuePause>;
  /** Resumes a queue. Throws as `pauseQueue` does. */
  resumeQueue(queue: string): Promise<QueuePause>;
}

const KEYS: readonly (keyof PauseOptions)[] = ['timeout'];

export function createPauseControl({ openBroker, clock }: Asking): PauseControl {
  const setPause = async (queue: string, verb: 'pause' | 'resume'): Promise<QueuePause> => {
    assertText(queue, `the queue of app.control.${verb}Queue()`);
    const paused = verb === 'pause';
    const [pause] = await setQueuePauses(await openBroker(), [queue], { paused, now: clock.now() });
    return pause as QueuePause;
  };
  return {
    async pauseTask(task, options) {
      assertTaskName(task);
      const { timeoutMs } = parseAsk(options, 'app.control.pauseTask()', KEYS);
      const { tasks, ...said } = await pauseTasks(await openBroker(), { tasks: [task], timeoutMs }, clock.now());
      return { ...(tasks[0] as TaskPause), ...said, unregistered: said.unregistered.includes(task) };
    },
    async resumeTask(task, options) {
      assertTaskName(task);
      const { timeoutMs } = parseAsk(options, 'app.control.resumeTask()', KEYS);
      const { tasks, unconfirmed } = await resumeTasks(await openBroker(), { tasks: [task], timeoutMs });
      return { ...(tasks[0] as TaskResume), unconfirmed };
    },
    pauseQueue: (queue) => setPause(queue, 'pause'),
    resumeQueue: (queue) => setPause(queue, 'resume'),
  };
}
