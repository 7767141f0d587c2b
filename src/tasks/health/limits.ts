import { type ByteSize, parseByteSize } from '../../engine/core/byte-size.ts';
import { type Duration, parseDuration } from '../../engine/core/duration.ts';

/** From when on `health.check` finds fault. */
export interface HealthOptions {
  /** How long broker and workers are waited for. Default 5s. */
  readonly timeout?: Duration;
  /** A round trip to the broker that takes longer is slow. Default 500ms. */
  readonly slowBroker?: Duration;
  /** Most jobs that may wait in a queue. Default 10,000. */
  readonly queueDepth?: number;
  /** Longest that a job may wait. Default 15m; a queue that nobody serves for this long has failed. */
  readonly oldestWaiting?: Duration;
  /** Most dead letters in all queues together. Default 100. */
  readonly deadLetters?: number;
  /** Fewest live workers; 0 where none of tq is expected. Default 1. */
  readonly leastWorkers?: number;
  /** Least free space of each folder that is looked at. Default 1GB; below a tenth of it the disk has failed. */
  readonly leastDisk?: ByteSize;
  /** Folders to look at beside the working directory, the folder of temporary files and that of a SQLite broker. */
  readonly folders?: readonly string[];
  /** Least free memory of the machine or container, in per cent. Default 5; below a fifth of it memory has failed. */
  readonly leastMemory?: number;
  /** Most memory of the process that looks. Default none. */
  readonly processMemory?: ByteSize;
}

/** The same with every default filled in. */
export interface HealthLimits {
  readonly timeoutMs: number;
  readonly slowBrokerMs: number;
  readonly queueDepth: number;
  readonly oldestWaitingMs: number;
  readonly deadLetters: number;
  readonly leastWorkers: number;
  readonly leastDiskBytes: number;
  readonly folders: readonly string[];
  readonly leastMemoryPercent: number;
  readonly processMemoryBytes: number | null;
}

/** @param options as parseBuiltinOptions() has checked them */
export function parseHealthLimits(options: HealthOptions = {}): HealthLimits {
  const duration = (key: 'timeout' | 'slowBroker' | 'oldestWaiting', fallback: Duration): number =>
    parseDuration(options[key] ?? fallback, `builtins.health.${key}`);
  const { processMemory } = options;
  return {
    timeoutMs: duration('timeout', '5s'),
    slowBrokerMs: duration('slowBroker', '500ms'),
    queueDepth: options.queueDepth ?? 10_000,
    oldestWaitingMs: duration('oldestWaiting', '15m'),
    deadLetters: options.deadLetters ?? 100,
    leastWorkers: options.leastWorkers ?? 1,
    leastDiskBytes: parseByteSize(options.leastDisk ?? '1GB', 'builtins.health.leastDisk'),
    folders: options.folders ?? [],
    leastMemoryPercent: options.leastMemory ?? 5,
    processMemoryBytes:
      processMemory === undefined ? null : parseByteSize(processMemory, 'builtins.health.processMemory'),
  };
}
