import { type LiveBeat, writeLiveBeat } from '../../src/engine/beat/live-beats.ts';
import type { StateStore } from '../../src/engine/broker/state-port.ts';

/** Makes a beat live on a broker: one that stands by, unless it is said otherwise. */
export async function storeLiveBeat(
  { state }: { readonly state: StateStore },
  beat: Partial<LiveBeat> & Pick<LiveBeat, 'name'>,
): Promise<void> {
  const place = { id: beat.name, host: 'box', pid: 7, version: '1.2.3' };
  const standby = { startedAt: 0, since: 0, isLeader: false, entries: 0, lastTickAt: null, overdue: 0 };
  await writeLiveBeat(state, { ...place, ...standby, ...beat }, 15_000);
}
