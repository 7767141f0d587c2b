import type { BeatState } from '../engine/beat/beat.ts';
import { readStaleness } from '../engine/beat/live-beats.ts';
import { formatDuration } from '../engine/core/duration.ts';
import type { ServiceHealth } from './health-port.ts';

/** What the health port of `tq beat` tells. Instants are epoch milliseconds. */
export interface BeatHealth
  extends ServiceHealth,
    Pick<BeatState, 'isLeader' | 'leader' | 'entries' | 'overdue' | 'lastTickAt'> {}

/**
 * A beat that stands by is ready, and one that lost its broker is live: a restart would not bring the broker back. Firings that have
 * not started are a matter of the workers, so they are told and judge nothing.
 */
export function judgeBeatHealth(state: BeatState, now: number): BeatHealth {
  const { phase, isLeader, leader, entries, overdue, lastTickAt } = state;
  const staleMs = readStaleness(state, now);
  const problems = [
    ...(phase === 'running' ? [] : [`the beat is ${phase}`]),
    ...(phase === 'running' && leader === null ? ['nobody could be asked who leads: the broker is away'] : []),
    ...(staleMs === undefined
      ? []
      : [`the beat leads, and has not looked at its entries for ${formatDuration(staleMs)}`]),
  ];
  return {
    live: staleMs === undefined,
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
