import type { Broker, BrokerQueue } from '../broker/port.ts';

/** What schedules need of a broker. */
export interface ScheduleBroker extends Pick<Broker, 'state' | 'listQueues'> {
  queue(name: string): ScheduleQueue;
}

export type ScheduleQueue = Pick<BrokerQueue, 'name' | 'add' | 'hasPriorities' | 'schedules'>;
