/**
 * What `app.inspect` and `app.control` ask of the live workers. A further command of tq is one line in a table: its name, what
 * is sent along, and what a worker answers.
 */
import { listActiveJobs, type OrphanedJob } from '../control/active-jobs.ts';
import type { ReservedJobInfo } from '../control/controlled-worker.ts';
import type { ActiveJob, PONG, RegisteredTask, ShutdownReceipt, WorkerStats } from '../control/replies.ts';
import type { RefusedJob } from '../control/revoke-order.ts';
import type { LyingJob } from '../control/revoked-index.ts';
import { listRevokedJobs } from '../control/revoked-jobs.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { encodeJson } from '../core/json.ts';
import { type AskOptions, parseAsk } from './ask-options.ts';
import { createPauseControl, type PauseControl } from './pause-control.ts';
import { createRevoke, type RevokeOptions, type RevokeReplies } from './revoke-control.ts';
import { shapeCommands } from './shape-control.ts';
import { type Ask, type Asking, type Bound, bindQuestions, createAsk } from './worker-question.ts';
import { type Replies, toReplies } from './worker-replies.ts';

const inspectCommands = {
  ping: plain<typeof PONG>('inspect', 'ping'),
  reserved: plain<readonly ReservedJobInfo[]>('inspect', 'reserved'),
  registered: plain<readonly RegisteredTask[]>('inspect', 'registered'),
  stats: plain<WorkerStats>('inspect', 'stats'),
  conf: plain<Readonly<Record<string, unknown>>>('inspect', 'conf'),
};

const controlCommands = {
  ...shapeCommands,
  /** Stops workers as their first SIGTERM does. */
  shutdown: plain<ShutdownReceipt>('control', 'shutdown'),
};

/** A command of tq without arguments. */
function plain<Reply>(group: 'inspect' | 'control', command: string) {
  return (ask: Ask) =>
    async (options?: AskOptions): Promise<Replies<Reply>> =>
      await ask<Reply>(command, null, parseAsk(options, `app.${group}.${command}()`));
}

export interface ActiveReplies extends Replies<readonly ActiveJob[]> {
  /** Jobs that are active on the broker and that no live worker claims; null when only some workers were asked. */
  readonly orphaned: readonly OrphanedJob[] | null;
}

export interface RevokedReplies extends Replies<readonly RefusedJob[]> {
  /** Revoked jobs that lie in the broker: a worker files each away when it takes it up, and will not run it. */
  readonly waiting: readonly LyingJob[];
}

/** Each asks the live workers, and resolves when all have answered or the timeout has passed. */
export interface AppInspect extends Bound<typeof inspectCommands> {
  /** The jobs that run now, as `tq inspect active` shows them. */
  active(options?: AskOptions): Promise<ActiveReplies>;
  /** The revoked jobs that workers did not run to their end, as `tq inspect revoked` shows them. */
  revoked(options?: AskOptions): Promise<RevokedReplies>;
}

export interface AppControl extends Bound<typeof controlCommands>, PauseControl {
  /**
   * Revokes jobs: those that wait never start, those that run have their signals aborted. Resolves when the running ones
   * have ended or the timeout is over. An empty list revokes nothing.
   *
   * @throws AMBIGUOUS_JOB before anything is changed, INVALID_OPTION, UNKNOWN_OPTION, INVALID_DURATION, BROKER_UNAVAILABLE
   */
  revoke(ids: string | readonly string[], options?: RevokeOptions): Promise<RevokeReplies>;
  /**
   * Asks for a command by its name: one of the application (`control` of createApp), or one of tq.
   *
   * @param args what its handler gets: JSON; null without it
   * @throws NOT_JSON, INVALID_OPTION, UNKNOWN_OPTION, BROKER_UNAVAILABLE. What a worker throws is its reply.
   */
  call<Reply = unknown>(command: string, args?: unknown, options?: AskOptions): Promise<Replies<Reply>>;
}

export function createAppInspect(asking: Asking): AppInspect {
  const { openBroker, clock } = asking;
  return {
    ...bindQuestions(inspectCommands, createAsk(asking)),
    async active(options) {
      const addressed = parseAsk(options, 'app.inspect.active()');
      const { orphaned, ...answers } = await listActiveJobs(await openBroker(), addressed, () => clock.now());
      return { ...toReplies<readonly ActiveJob[]>(answers), orphaned };
    },
    async revoked(options) {
      const addressed = parseAsk(options, 'app.inspect.revoked()');
      const { waiting, ...answers } = await listRevokedJobs(await openBroker(), addressed);
      return { ...toReplies<readonly RefusedJob[]>(answers), waiting };
    },
  };
}

export function createAppControl(asking: Asking): AppControl {
  const ask = createAsk(asking);
  return {
    ...bindQuestions(controlCommands, ask),
    ...createPauseControl(asking),
    revoke: createRevoke(asking),
    async call<Reply>(command: string, args: unknown = null, options?: AskOptions) {
      if (typeof command !== 'string' || command === '') {
        const what = 'the command of app.control.call()';
        throw createError('INVALID_OPTION', { what, expected: 'a name', given: formatGiven(command) });
      }
      const addressed = parseAsk(options, 'app.control.call()');
      encodeJson(args, `the arguments of the control command "${command}"`, 'args');
      return await ask<Reply>(command, args, addressed);
    },
  };
}
