import { strictObject } from 'valibot';
import { listLiveBeats } from '../engine/beat/live-beats.ts';
import type { ControlAnswers } from '../engine/broker/control-port.ts';
import type { WorkerStats } from '../engine/control/replies.ts';
import { isRecord } from '../engine/core/envelope.ts';
import { EntryStore } from '../engine/schedule/entry-store.ts';
import type { PausedTaskStatus } from './held-jobs.ts';
import { listQueues, type QueueRow } from './list-queues.ts';
import { defineOperation, READING } from './operation.ts';
import type { Session } from './session.ts';
import { addressedInput, askWorkers, formatAddressed } from './worker-replies.ts';

export interface Status {
  readonly replies: ControlAnswers;
  readonly workers: readonly WorkerStatus[];
  readonly queues: readonly QueueRow[];
  readonly pausedTasks: readonly PausedTaskStatus[];
  readonly beat: BeatStatus;
}

export interface BeatStatus {
  /** Name of the beat that leads; null when none does. */
  readonly leader: string | null;
  /** The others that are live, by name. */
  readonly standby: readonly string[];
  /** Schedule entries that are stored, paused ones too. */
  readonly entries: number;
}

export interface WorkerStatus
  extends Pick<
    WorkerStats,
    'name' | 'host' | 'pid' | 'pool' | 'concurrency' | 'active' | 'queues' | 'uptimeMs' | 'version'
  > {}

export const showStatus = defineOperation({
  name: 'show-status',
  effect: 'read',
  summary: 'Show the live workers, the queues and who leads the beat in one view',
  input: strictObject(addressedInput),
  async run(session, addressed): Promise<Status> {
    const [replies, { queues, pausedTasks }, beat] = await Promise.all([
      askWorkers(session, 'stats', addressed),
      listQueues.run(session, {}, READING),
      readBeat(session),
    ]);
    const workers = [...replies.answers].flatMap(([name, answer]) =>
      answer.ok && isRecord(answer.value) ? [toStatus(name, answer.value as unknown as WorkerStats)] : [],
    );
    return { replies, workers, queues, pausedTasks, beat };
  },
  commandLine: (addressed) => ['status', ...formatAddressed(addressed)],
});

async function readBeat(session: Session): Promise<BeatStatus> {
  const { state } = await session.broker();
  const [live, entries] = await Promise.all([listLiveBeats(state), new EntryStore(state).size()]);
  const leader = live.find(({ isLeader }) => isLeader)?.name ?? null;
  return { leader, standby: live.filter(({ isLeader }) => !isLeader).map(({ name }) => name), entries };
}

function toStatus(name: string, stats: WorkerStats): WorkerStatus {
  const { host, pid, pool, concurrency, active, queues, uptimeMs, version } = stats;
  return { name, host, pid, pool, concurrency, active, queues, uptimeMs, version };
}
