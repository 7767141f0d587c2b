/**
 * What `app.inspect` and `app.control` ask of the live workers. A further command of tq is one line in one of the two tables:
 * its name, what is sent along, and what a worker answers.
 */
import type { Broker } from '../broker/port.ts';
import { listActiveJobs, type OrphanedJob } from '../control/active-jobs.ts';
import { type Addressed, askLiveWorkers } from '../control/ask-live-workers.ts';
import type { ReservedJobInfo } from '../control/controlled-worker.ts';
import type { ActiveJob, PONG, RegisteredTask, ShutdownReceipt, WorkerStats } from '../control/replies.ts';
import type { Clock } from '../core/clock.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { encodeJson } from '../core/json.ts';
import { type AskOptions, parseAsk } from './ask-options.ts';
import { type Replies, toReplies } from './worker-replies.ts';

interface Asking {
  readonly openBroker: () => Promise<Broker>;
  readonly clock: Clock;
}

type Ask = (command: string, args: unknown, addressed: Addressed) => Promise<Replies<unknown>>;

const inspectCommands = {
  ping: plain<typeof PONG>('inspect', 'ping'),
  reserved: plain<readonly ReservedJobInfo[]>('inspect', 'reserved'),
  registered: plain<readonly RegisteredTask[]>('inspect', 'registered'),
  stats: plain<WorkerStats>('inspect', 'stats'),
  conf: plain<Readonly<Record<string, unknown>>>('inspect', 'conf'),
};

const controlCommands = {
  /** Stops workers as their first SIGTERM does. */
  shutdown: plain<ShutdownReceipt>('control', 'shutdown'),
};

/** A command of tq without arguments. */
function plain<Reply>(group: 'inspect' | 'control', command: string) {
  return (ask: Ask) =>
    async (options?: AskOptions): Promise<Replies<Reply>> =>
      (await ask(command, null, parseAsk(options, `app.${group}.${command}()`))) as Replies<Reply>;
}

type Bound<Commands extends Record<string, (ask: Ask) => unknown>> = {
  readonly [Name in keyof Commands]: ReturnType<Commands[Name]>;
};

export interface ActiveReplies extends Replies<readonly ActiveJob[]> {
  /** Jobs that are active on the broker and that no live worker claims; null when only some workers were asked. */
  readonly orphaned: readonly OrphanedJob[] | null;
}

/** Each asks the live workers, and resolves when all have answered or the timeout has passed. */
export interface AppInspect extends Bound<typeof inspectCommands> {
  /** The jobs that run now, as `tq inspect active` shows them. */
  active(options?: AskOptions): Promise<ActiveReplies>;
}

export interface AppControl extends Bound<typeof controlCommands> {
  /**
   * Asks for a command by its name: one of the application (`control` of createApp), or one of tq.
   *
   * @param args what its handler gets: JSON; null without it
   * @throws NOT_JSON, INVALID_OPTION, UNKNOWN_OPTION, BROKER_UNAVAILABLE. What a worker throws is its reply.
   */
  call<Reply = unknown>(command: string, args?: unknown, options?: AskOptions): Promise<Replies<Reply>>;
}

export function createAppInspect(asking: Asking): AppInspect {
  return {
    ...bind(inspectCommands, createAsk(asking)),
    async active(options) {
      const addressed = parseAsk(options, 'app.inspect.active()');
      const { orphaned, ...replies } = await listActiveJobs(await asking.openBroker(), addressed, () =>
        asking.clock.now(),
      );
      return { ...toReplies<readonly ActiveJob[]>(replies), orphaned };
    },
  };
}

export function createAppControl(asking: Asking): AppControl {
  const ask = createAsk(asking);
  return {
    ...bind(controlCommands, ask),
    async call<Reply>(command: string, args: unknown = null, options?: AskOptions) {
      if (typeof command !== 'string' || command === '') {
        const what = 'the command of app.control.call()';
        throw createError('INVALID_OPTION', { what, expected: 'a name', given: formatGiven(command) });
      }
      const addressed = parseAsk(options, 'app.control.call()');
      encodeJson(args, `the arguments of the control command "${command}"`, 'args');
      return (await ask(command, args, addressed)) as Replies<Reply>;
    },
  };
}

function createAsk({ openBroker }: Asking): Ask {
  return async (command, args, addressed) => {
    const broker = await openBroker();
    return toReplies(await askLiveWorkers(broker.control, { command, args }, addressed));
  };
}

function bind<Commands extends Record<string, (ask: Ask) => unknown>>(commands: Commands, ask: Ask): Bound<Commands> {
  const bound = Object.entries(commands).map(([name, command]) => [name, command(ask)]);
  return Object.fromEntries(bound) as Bound<Commands>;
}
