import type { BrokerQueue } from '../broker/port.ts';
import type { QueueSchedules } from '../broker/schedule-port.ts';
import type { StateStore } from '../broker/state-port.ts';

/** What schedules need of a broker. */
export interface ScheduleBroker {
  readonly state: StateStore;
  queue(name: string): ScheduleQueue;
  listQueues(): Promise<string[]>;
}

export interface ScheduleQueue extends Pick<BrokerQueue, 'name' | 'add' | 'hasPriorities'> {
  readonly schedules: QueueSchedules;
}
