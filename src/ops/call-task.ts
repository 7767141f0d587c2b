import {
  array,
  boolean,
  exactOptional,
  type InferOutput,
  integer,
  maxValue,
  minValue,
  nonEmpty,
  number,
  pipe,
  record,
  strictObject,
  string,
  unknown,
} from 'valibot';
import type { CallOptions } from '../engine/app/call-options.ts';
import type { App } from '../engine/app/contract.ts';
import { createError } from '../engine/core/errors.ts';
import { nearestNames } from '../engine/core/nearest.ts';
import type { JobState } from '../engine/core/state.ts';
import { defineOperation } from './operation.ts';
import { type JobResult, jobId, waitFlags, waitForResult, waitMs } from './read-result.ts';

/** A call as it was accepted. */
export interface CalledJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly state: JobState;
  /** Nothing was stored: a job with the same unique key was there, and this is that job. */
  readonly duplicate: boolean;
}

const instant = pipe(number(), integer());

const input = strictObject({
  task: pipe(string(), nonEmpty()),
  args: exactOptional(array(unknown()), []),
  queue: exactOptional(pipe(string(), nonEmpty())),
  priority: exactOptional(pipe(number(), integer(), minValue(0), maxValue(9))),
  countdownMs: exactOptional(waitMs),
  /** Starts no earlier than this instant, in epoch milliseconds. */
  etaAt: exactOptional(instant),
  expiresMs: exactOptional(waitMs),
  /** Revoked if it has not started by this instant, in epoch milliseconds. */
  expiresAt: exactOptional(instant),
  id: exactOptional(jobId),
  headers: exactOptional(record(string(), string())),
  /** Wait until the job has ended; the outcome is then that of read-result. */
  wait: exactOptional(boolean()),
  timeoutMs: exactOptional(waitMs),
});

type CallInput = InferOutput<typeof input>;

export const callTask = defineOperation({
  name: 'call-task',
  effect: 'write',
  isAudited: false,
  summary: 'Call a task: enqueue one job',
  input,
  async plan(session, call) {
    const app = await session.app();
    assertCallable(app, call);
    const queue = call.queue ?? app.queueOf(call.task);
    // No job that exists is touched, so the count is 0 and nobody is asked.
    return {
      summary: `would call task "${call.task}" on queue "${queue}"`,
      count: 0,
      rows: [{ task: call.task, queue }],
    };
  },
  async run(session, call): Promise<CalledJob | JobResult> {
    const app = await session.app();
    assertCallable(app, call);
    const sent = await app.send(call.task, call.args, toCallOptions(call));
    const queue = sent.queue ?? call.queue ?? app.queueOf(call.task);
    if (call.wait === true) return await waitForResult(session, { id: sent.id, queue }, call.timeoutMs);
    return { id: sent.id, task: call.task, queue, state: await sent.state(), duplicate: sent.isDuplicate };
  },
  commandLine: (call) => ['call', call.task, ...callFlags(call)],
});

/** A task of other workers can be called when its queue is named: nothing here could say which queue they serve. */
function assertCallable(app: App, { task, queue }: CallInput): void {
  if (queue !== undefined || app.tasks.has(task)) return;
  throw createError('UNKNOWN_TASK', {
    task,
    near: nearestNames(task, app.tasks.keys()),
    next: 'load the app that registers it with --app; to call a task of other workers, name their queue with --queue',
  });
}

function toCallOptions(call: CallInput): CallOptions {
  const { queue, priority, countdownMs, etaAt, expiresMs, expiresAt, id, headers } = call;
  return {
    ...(queue !== undefined && { queue }),
    ...(priority !== undefined && { priority }),
    ...(countdownMs !== undefined && { countdown: countdownMs }),
    ...(etaAt !== undefined && { eta: etaAt }),
    ...(expiresMs !== undefined && { expires: expiresMs }),
    ...(expiresAt !== undefined && { expires: new Date(expiresAt) }),
    ...(id !== undefined && { id }),
    ...(headers !== undefined && { headers }),
  };
}

function callFlags(call: CallInput): string[] {
  const flag = (name: string, value: string | undefined): string[] => (value === undefined ? [] : [name, value]);
  const duration = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : `${ms}ms`);
  const date = (at: number | undefined): string | undefined =>
    at === undefined ? undefined : new Date(at).toISOString();
  return [
    ...(call.args.length === 0 ? [] : ['--args', JSON.stringify(call.args)]),
    ...flag('--queue', call.queue),
    ...flag('--priority', call.priority?.toString()),
    ...flag('--countdown', duration(call.countdownMs)),
    ...flag('--eta', date(call.etaAt)),
    ...flag('--expires', duration(call.expiresMs) ?? date(call.expiresAt)),
    ...flag('--id', call.id),
    ...Object.entries(call.headers ?? {}).flatMap(([name, value]) => ['--header', `${name}=${value}`]),
    ...waitFlags(call.wait, call.timeoutMs),
  ];
}
