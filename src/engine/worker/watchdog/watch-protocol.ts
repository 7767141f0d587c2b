import type { LogPlace } from '../../runtime/log-relay.ts';
import type { BlockFacts } from './block-report.ts';

/** What the watchdog's thread is started with. */
export interface WatchSettings {
  readonly memory: SharedArrayBuffer;
  readonly log: LogPlace;
  readonly thresholdMs: number;
  readonly everyMs: number;
}

/** What the thread tells the main thread, which hears it once it is free again. */
export interface BlockEnded {
  readonly blockedMs: number;
  readonly facts: BlockFacts;
}
