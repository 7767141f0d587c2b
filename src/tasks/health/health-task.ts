import * as v from 'valibot';
import type { HealthReport } from '../../engine/core/health/report.ts';
import type { RetryOptions } from '../../engine/core/retry-policy.ts';
import { currentContext } from '../../engine/task/context.ts';
import { defineTask } from '../../engine/task/definition.ts';
import type { BuiltinEnvironment } from '../builtin-options.ts';
import { shape } from '../input-shape.ts';
import { isRefusal } from '../refusal.ts';
import { COMPONENTS, checkHealth } from './check-health.ts';
import { type HealthOptions, parseHealthLimits } from './limits.ts';

const PARTS = `must be a list of ${COMPONENTS.join(', ')}`;

/** Everything is looked at without an argument. */
const healthInput = v.optional(
  shape({ only: v.optional(v.pipe(v.array(v.picklist(COMPONENTS, PARTS), PARTS), v.minLength(1, PARTS))) }),
  {},
);

/** A lost worker or a full disk may cost an attempt; the check itself never rejects. */
const RETRY: RetryOptions = { max: 2, delay: '5s', except: isRefusal };

/**
 * The check of health, set up for one app.
 *
 * A bad verdict is a result and no error: the check has done its work, a retry would find the same, and a dead letter a check would
 * only add to what is to be looked at. The log of the worker warns of what is not well.
 */
export function healthTasks(options: HealthOptions, environment: BuiltinEnvironment) {
  const limits = parseHealthLimits(options);
  return {
    'health.check': defineTask(
      'health.check',
      { input: healthInput, retry: RETRY, description: 'Checks broker, queues, workers, disk and memory.' },
      async ({ only }): Promise<HealthReport> => {
        const report = await checkHealth({ source: environment.health, limits, cwd: environment.cwd, only });
        for (const { name, status, message } of report.components) {
          if (status !== 'ok') currentContext()?.log.warn({ component: name, status }, message);
        }
        return report;
      },
    ),
  };
}
