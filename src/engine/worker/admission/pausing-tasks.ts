import type { Broker } from '../../broker/port.ts';
import { confirmPauses, type PauseConfirmation } from '../../control/pause-confirmation.ts';
import { assertTaskName } from '../../task/definition.ts';
import { letGoAll } from './letting-go.ts';
import { listPausedTasks, removePausedTask, writePausedTask } from './paused-tasks.ts';

export interface TaskPause {
  readonly task: string;
  /** Epoch ms: when it was paused, perhaps before this. */
  readonly since: number;
  /** False when it was paused before. */
  readonly changed: boolean;
}

export interface TaskPauses extends PauseConfirmation {
  readonly tasks: readonly TaskPause[];
  /** Those of the tasks that no live worker registers: a new one may, or the name is misspelt. */
  readonly unregistered: readonly string[];
}

export interface TaskResume {
  readonly task: string;
  /** Epoch ms; null when it was not paused: jobs that an interrupted resume left are let go all the same. */
  readonly since: number | null;
  /** Jobs that were held back and wait now at the head of their queues. */
  readonly letGo: number;
}

export interface TaskResumes extends Pick<PauseConfirmation, 'unconfirmed'> {
  readonly tasks: readonly TaskResume[];
}

export interface PauseRequest {
  readonly tasks: readonly string[];
  /** How long the live workers may take to confirm. Default 2 s. */
  readonly timeoutMs?: number | undefined;
}

type Stores = Pick<Broker, 'state' | 'queue' | 'listQueues' | 'control'>;

/**
 * Since when each of these tasks is paused, each once; null for one that is not.
 *
 * @throws INVALID_OPTION for a name that no task can have
 */
export async function readTaskPauses(
  { state }: Pick<Broker, 'state'>,
  tasks: readonly string[],
): Promise<{ task: string; since: number | null }[]> {
  for (const task of tasks) assertTaskName(task);
  const paused = await listPausedTasks(state);
  return [...new Set(tasks)].map((task) => ({
    task,
    since: paused.find((record) => record.task === task)?.since ?? null,
  }));
}

/**
 * Writes the records, then makes the live workers read them.
 *
 * @param now epoch ms
 * @throws INVALID_OPTION, BROKER_UNAVAILABLE
 */
export async function pauseTasks(broker: Stores, { tasks, timeoutMs }: PauseRequest, now: number): Promise<TaskPauses> {
  const before = await readTaskPauses(broker, tasks);
  const paused: TaskPause[] = [];
  for (const { task, since } of before) {
    const record = await writePausedTask(broker.state, { task, since: now });
    paused.push({ ...record, changed: since === null });
  }
  const { unconfirmed, unregistered } = await confirmPauses(broker.control, timeoutMs);
  const named = paused.map(({ task }) => task);
  return { tasks: paused, unconfirmed, unregistered: unregistered.filter((task) => named.includes(task)) };
}

/**
 * 1. The record is removed: workers that start do not know the pause any more.
 * 2. The live workers read the records, so that none holds a job back that is let go.
 * 3. The held jobs go back to the heads of their queues, in batches.
 *
 * Interrupted, it can be done again; what is left comes back by its own wait within the hour.
 *
 * @param onProgress hears how many jobs were let go so far
 * @throws INVALID_OPTION, BROKER_UNAVAILABLE
 */
export async function resumeTasks(
  broker: Stores,
  { tasks, timeoutMs }: PauseRequest,
  onProgress: (count: number) => void = () => undefined,
): Promise<TaskResumes> {
  const before = await readTaskPauses(broker, tasks);
  for (const { task } of before) await removePausedTask(broker.state, task);
  const { unconfirmed } = await confirmPauses(broker.control, timeoutMs);
  const queues = await broker.listQueues();
  const resumed: TaskResume[] = [];
  let total = 0;
  for (const { task, since } of before) {
    let letGo = 0;
    for (const queue of queues) {
      const count = (done: number): void => onProgress(total + letGo + done);
      letGo += await letGoAll(broker, { queue, task, line: 'pause', onProgress: count });
    }
    total += letGo;
    resumed.push({ task, since, letGo });
  }
  return { tasks: resumed, unconfirmed };
}
