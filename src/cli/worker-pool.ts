import type { WorkerOptions } from '../engine/app/contract.ts';
import type { Origin } from '../engine/config/chosen-settings.ts';
import type { Settings } from '../engine/config/settings.ts';
import { livesInMemory } from '../engine/config/sqlite-url.ts';
import { createError } from '../engine/core/errors.ts';

/** The options of a worker that say where its jobs run, and how many at once. */
type PoolOptions = Pick<
  WorkerOptions,
  'pool' | 'concurrency' | 'autoscale' | 'module' | 'maxTasksPerChild' | 'maxMemoryPerChild'
>;

interface Chosen<Options> {
  readonly options: Options;
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

/**
 * Where the jobs of a worker run: in child processes that load the module which `--app` or tq.config names, unless the
 * broker lives in the memory of this process alone. That one asks for the event loop, and only what was asked for by name
 * is an error.
 *
 * @param brokerUrl of the app
 * @throws USAGE when prefork was asked for with a broker in memory
 */
export function choosePool(settings: Settings, brokerUrl: string | undefined): Chosen<PoolOptions> {
  const { pool, maxTasksPerChild, maxMemoryPerChild } = settings.worker;
  const slots = chooseSlots(settings);
  const isInMemory = livesInMemory(brokerUrl);
  const asked = settings.origins.get('worker.pool');
  if (isInMemory && pool === 'prefork' && asked !== undefined) {
    throw createError('USAGE', {
      message: `${asked.where} asks for the pool prefork, and child processes cannot reach a broker in the memory of this one`,
      next: 'use --pool async, or a broker in a file such as sqlite:.tq/tq.db',
    });
  }
  if (pool === 'prefork' && !isInMemory) {
    return {
      options: {
        pool,
        ...slots.options,
        module: settings.app ?? (settings.exportedApp === undefined ? null : (settings.configFile ?? null)),
        ...(maxTasksPerChild !== undefined && { maxTasksPerChild }),
        ...(maxMemoryPerChild !== undefined && { maxMemoryPerChild }),
      },
      notes: slots.notes,
    };
  }
  const limits = (['worker.maxTasksPerChild', 'worker.maxMemoryPerChild'] as const).flatMap(
    (name) => settings.origins.get(name)?.where ?? [],
  );
  const why = 'the broker is in the memory of this process, so jobs run in its event loop: pool async';
  return {
    options: { pool: 'async', ...slots.options },
    notes: [
      ...slots.notes,
      ...(pool === 'prefork' ? [why] : []),
      ...(limits.length === 0 ? [] : [`without child processes, ${limits.join(' and ')} changes nothing`]),
    ],
  };
}

const SOURCES: readonly Origin['source'][] = ['flag', 'profile', 'environment', 'file'];

/** Both say how many slots there are: the one from the better source counts, and autoscale where they are equal. */
function chooseSlots({ worker, origins }: Settings): Chosen<Pick<WorkerOptions, 'concurrency' | 'autoscale'>> {
  const { autoscale, concurrency } = worker;
  const [scaled, fixed] = [origins.get('worker.autoscale'), origins.get('worker.concurrency')];
  if (autoscale === undefined || scaled === undefined) return { options: { concurrency }, notes: [] };
  if (fixed === undefined) return { options: { autoscale }, notes: [] };
  const isFixed = SOURCES.indexOf(fixed.source) < SOURCES.indexOf(scaled.source);
  const [used, idle] = isFixed ? [fixed, scaled] : [scaled, fixed];
  return {
    options: isFixed ? { concurrency } : { autoscale },
    notes: [`with ${used.where}, ${idle.where} changes nothing`],
  };
}
