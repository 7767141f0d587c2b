import type { BeatState } from '../engine/beat/beat.ts';
import { formatDuration } from '../engine/core/duration.ts';
import type { ServiceHealth } from './health-port.ts';

/** What the health port of `tq beat` tells. Instants are epoch milliseconds. */
export interface BeatHealth
  extends ServiceHealth,
    Pick<BeatState, 'isLeader' | 'leader' | 'entries' | 'overdue' | 'lastTickAt'> {}

/** A leader looks every second whether an entry is due; one that has not for so long does not any more. */
const STALE_MS = 30_000;

/**
 * A beat that stands by is ready, and one that lost its broker is live: a restart would not bring the broker back. Firings that have
 * not started are a matter of the workers, so they are told and judge nothing.
 */
export function judgeBeatHealth(state: BeatState, now: number): BeatHealth {
  const { phase, isLeader, leader, entries, overdue, lastTickAt, since } = state;
  const idleMs = now - Math.max(lastTickAt ?? 0, since);
  const isStale = isLeader && idleMs > STALE_MS;
  const problems = [
    ...(phase === 'running' ? [] : [`the beat is ${phase}`]),
    ...(phase === 'running' && leader === null ? ['nobody could be asked who leads: the broker is away'] : []),
    ...(isStale ? [`the beat leads, and has not looked at its entries for ${formatDuration(idleMs)}`] : []),
  ];
  return {
    live: !isStale,
    ready: problems.length === 0,
    phase,
    problems,
    isLeader,
    leader,
    entries,
    overdue,
    lastTickAt,
  };
}
