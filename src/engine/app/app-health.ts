import { COMPONENTS, type ComponentName, checkHealth } from '../../tasks/health/check-health.ts';
import type { HealthLimits } from '../../tasks/health/limits.ts';
import type { Broker } from '../broker/port.ts';
import type { Clock } from '../core/clock.ts';
import { type Duration, parseDuration } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import type { HealthReport } from '../core/health/report.ts';
import { assertKnownOptions } from '../core/known-options.ts';
import { createHealthSource } from './health-source.ts';

export interface HealthAsk {
  /** The components to look at. Default all. */
  only?: readonly ComponentName[];
  /** How long broker and workers are waited for. Default `builtins.health.timeout`. */
  timeout?: Duration;
  /** Asked in place of the broker of the app. */
  openBroker?: () => Promise<Broker>;
}

interface HealthParts {
  readonly openBroker: () => Promise<Broker>;
  readonly clock: Clock;
  readonly limits: HealthLimits;
}

/** @throws UNKNOWN_OPTION, INVALID_OPTION, INVALID_DURATION */
export async function checkAppHealth(parts: HealthParts, options: HealthAsk): Promise<HealthReport> {
  assertKnownOptions(options, ['only', 'timeout', 'openBroker'], 'app.health()');
  const { only, timeout, openBroker = parts.openBroker } = options;
  if (only !== undefined && !(Array.isArray(only) && only.every((name) => COMPONENTS.includes(name)))) {
    const what = 'only of app.health()';
    throw createError('INVALID_OPTION', {
      what,
      expected: `a list of ${COMPONENTS.join(', ')}`,
      given: formatGiven(only),
    });
  }
  const { limits, clock } = parts;
  return await checkHealth({
    source: createHealthSource(openBroker, clock),
    limits:
      timeout === undefined ? limits : { ...limits, timeoutMs: parseDuration(timeout, 'timeout of app.health()') },
    cwd: process.cwd(),
    only,
  });
}
