import { Schedules } from '../engine/schedule/schedules.ts';
import type { Session } from './session.ts';

/**
 * The schedule entries of the broker.
 *
 * @throws what `broker` of the session throws
 */
export async function openSchedules(session: Session): Promise<Schedules> {
  return new Schedules({ broker: await session.broker(), clock: session.clock });
}
