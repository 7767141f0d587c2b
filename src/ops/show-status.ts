import { strictObject } from 'valibot';
import type { ControlAnswers } from '../engine/broker/control-port.ts';
import type { WorkerStats } from '../engine/control/replies.ts';
import { isRecord } from '../engine/core/envelope.ts';
import type { PausedTaskStatus } from './held-jobs.ts';
import { listQueues, type QueueRow } from './list-queues.ts';
import { defineOperation, READING } from './operation.ts';
import { addressedInput, askWorkers, formatAddressed } from './worker-replies.ts';

export interface Status {
  readonly replies: ControlAnswers;
  readonly workers: readonly WorkerStatus[];
  readonly queues: readonly QueueRow[];
  readonly pausedTasks: readonly PausedTaskStatus[];
}

export interface WorkerStatus
  extends Pick<
    WorkerStats,
    'name' | 'host' | 'pid' | 'pool' | 'concurrency' | 'active' | 'queues' | 'uptimeMs' | 'version'
  > {}

export const showStatus = defineOperation({
  name: 'show-status',
  effect: 'read',
  summary: 'Show the live workers and the queues in one view',
  input: strictObject(addressedInput),
  async run(session, addressed): Promise<Status> {
    const [replies, { queues, pausedTasks }] = await Promise.all([
      askWorkers(session, 'stats', addressed),
      listQueues.run(session, {}, READING),
    ]);
    const workers = [...replies.answers].flatMap(([name, answer]) =>
      answer.ok && isRecord(answer.value) ? [toStatus(name, answer.value as unknown as WorkerStats)] : [],
    );
    return { replies, workers, queues, pausedTasks };
  },
  commandLine: (addressed) => ['status', ...formatAddressed(addressed)],
});

function toStatus(name: string, stats: WorkerStats): WorkerStatus {
  const { host, pid, pool, concurrency, active, queues, uptimeMs, version } = stats;
  return { name, host, pid, pool, concurrency, active, queues, uptimeMs, version };
}
