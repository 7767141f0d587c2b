import { type LiveBeat, listLiveBeats, readStaleness } from '../engine/beat/live-beats.ts';
import { countOf } from '../engine/core/counted.ts';
import { formatDuration } from '../engine/core/duration.ts';
import { messageOf } from '../engine/core/errors.ts';
import type { HealthComponent } from '../engine/core/health/report.ts';
import type { Session } from './session.ts';

/**
 * Whether a beat leads, and is current. `answers` is false when there is nobody to tell: no beat is live, or the broker is away.
 *
 * Firings that do not start are a matter of the workers, so they degrade it and are no failure of the beat.
 */
export async function probeBeat({ broker, clock }: Pick<Session, 'broker' | 'clock'>): Promise<HealthComponent> {
  try {
    const beats = await listLiveBeats((await broker()).state);
    return judgeBeats(beats, clock.now());
  } catch (error) {
    return beatComponent('failed', `beats cannot be looked at: ${messageOf(error)}`, undefined);
  }
}

function judgeBeats(beats: readonly LiveBeat[], now: number): HealthComponent {
  const [first] = beats;
  if (first === undefined) return beatComponent('failed', 'no beat is live; `tq beat` starts one', undefined);
  const facts = { beats: beats.length, leader: first, now };
  if (!first.isLeader) {
    const standby = beats.length === 1 ? `${first.name} stands by` : `${beats.length} beats stand by`;
    return beatComponent('failed', `no beat leads; ${standby}, and one takes over within 15 seconds`, {
      ...facts,
      leader: undefined,
    });
  }
  const staleMs = readStaleness(first, now);
  if (staleMs !== undefined) {
    const message = `${first.name} leads, but has not looked at its entries for ${formatDuration(staleMs)}`;
    return beatComponent('failed', message, facts);
  }
  const keeps = `${first.name} leads and keeps ${countOf(first.entries, 'entry', 'entries')}`;
  if (first.overdue === 0) return beatComponent('ok', keeps, facts);
  const overdue = countOf(first.overdue, 'entry has a firing', 'entries have firings');
  const message = `${keeps}; ${overdue} that should have started over a minute ago`;
  return beatComponent('degraded', message, facts);
}

function beatComponent(
  status: HealthComponent['status'],
  message: string,
  facts: { readonly beats: number; readonly leader: LiveBeat | undefined; readonly now: number } | undefined,
): HealthComponent {
  const { leader } = facts ?? {};
  return {
    ...{ name: 'beat', status, message, answers: facts !== undefined },
    beats: facts?.beats ?? 0,
    leader: leader?.name ?? null,
    entries: leader?.entries ?? null,
    overdue: leader?.overdue ?? null,
    lastTickAgeMs: leader?.lastTickAt == null ? null : Math.max(0, (facts?.now ?? 0) - leader.lastTickAt),
  };
}
