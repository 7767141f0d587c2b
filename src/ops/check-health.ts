import {
  array,
  boolean,
  exactOptional,
  integer,
  maxValue,
  minLength,
  minValue,
  nonEmpty,
  number,
  picklist,
  pipe,
  strictObject,
  string,
} from 'valibot';
import { createHealthSource } from '../engine/app/health-source.ts';
import type { Broker } from '../engine/broker/port.ts';
import { MAX_TIMER_MS } from '../engine/core/duration.ts';
import { createReport, type HealthComponent, type HealthReport } from '../engine/core/health/report.ts';
import { COMPONENTS, type ComponentName, checkHealth as lookAtHealth } from '../tasks/health/check-health.ts';
import { parseHealthLimits } from '../tasks/health/limits.ts';
import { defineOperation } from './operation.ts';
import { probeBeat } from './probe-beat.ts';
import { probeWorker } from './probe-worker.ts';
import type { Session } from './session.ts';

export const checkHealth = defineOperation({
  name: 'check-health',
  effect: 'read',
  summary: 'Say whether broker, queues, workers, disk and memory are well, or one worker or the beat',
  input: strictObject({
    /** Components to look at; all when neither these nor a worker nor the beat is asked for. */
    only: exactOptional(pipe(array(picklist(COMPONENTS)), minLength(1))),
    /** Name of a worker; `%h` stands for the name of this host. */
    worker: exactOptional(pipe(string(), nonEmpty())),
    beat: exactOptional(boolean()),
    /** How long broker and workers are waited for. */
    timeoutMs: exactOptional(pipe(number(), integer(), minValue(1), maxValue(MAX_TIMER_MS))),
  }),
  async run(session, { only, worker, beat = false, timeoutMs }): Promise<HealthReport> {
    const isProbe = worker !== undefined || beat;
    const [parts, ...probed] = await Promise.all([
      only === undefined && isProbe ? [] : lookAt(session, only, timeoutMs),
      ...(worker === undefined ? [] : [probeWorker(session, worker, timeoutMs)]),
      ...(beat ? [probeBeat(session)] : []),
    ]);
    return createReport([...parts, ...probed]);
  },
  commandLine: ({ only, worker, beat, timeoutMs }) => [
    'health',
    ...(only === undefined ? [] : ['--only', only.join(',')]),
    ...(worker === undefined ? [] : ['--worker', worker]),
    ...(beat === true ? ['--beat'] : []),
    ...(timeoutMs === undefined ? [] : ['--timeout', `${timeoutMs}ms`]),
  ],
});

/** Whether it answers needs no limits of the app, so that a probe loads none. */
const WITHOUT_APP: ReadonlySet<ComponentName> = new Set(['broker']);

async function lookAt(
  session: Session,
  only: readonly ComponentName[] | undefined,
  timeoutMs: number | undefined,
): Promise<readonly HealthComponent[]> {
  const openBroker = (): Promise<Broker> => session.broker();
  if (only?.every((name) => WITHOUT_APP.has(name)) !== true) {
    const app = await session.app();
    const options = {
      openBroker,
      ...(only !== undefined && { only }),
      ...(timeoutMs !== undefined && { timeout: timeoutMs }),
    };
    return (await app.health(options)).components;
  }
  const limits = { ...parseHealthLimits(), ...(timeoutMs !== undefined && { timeoutMs }) };
  const source = createHealthSource(openBroker, session.clock);
  return (await lookAtHealth({ source, limits, cwd: process.cwd(), only })).components;
}
